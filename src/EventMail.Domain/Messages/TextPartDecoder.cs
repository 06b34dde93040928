using System.Buffers;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>What of a text part is given.</summary>
public enum TextForm : byte
{
    /// <summary>What people read: HTML without its tags.</summary>
    AsRead,

    /// <summary>HTML as it is written, with its tags and the addresses of its links. Of other types the same as read.</summary>
    AsWritten,
}

/// <summary>
/// Decodes one text part from any pieces of its body, for callers that do not hold the whole message. Memory is that of
/// one piece.
/// </summary>
public sealed class TextPartDecoder
{
    private const int CharsAtOnce = 4096;

    private readonly Decoder _decoder;
    private readonly HtmlText? _html;
    private readonly ArrayBufferWriter<byte>? _bytes;
    private readonly ArrayBufferWriter<char>? _text;
    private readonly char[] _chars;
    private TransferDecoder _transfer;

    public TextPartDecoder(PartMapNode part, TextForm form = TextForm.AsRead)
    {
        _decoder = (Charsets.Find(part.Charset) ?? Charsets.Utf8OrLatin1).GetDecoder();
        _chars = new char[(int)Math.Clamp(part.BodyLength, 64, CharsAtOnce)];
        if (part.TransferEncoding is TransferEncoding.Base64 or TransferEncoding.QuotedPrintable)
        {
            _transfer = new TransferDecoder(part.TransferEncoding);
            _bytes = new ArrayBufferWriter<byte>(_chars.Length);
        }
        if (form == TextForm.AsRead && IsHtml(part))
        {
            _html = new HtmlText();
            _text = new ArrayBufferWriter<char>(_chars.Length);
        }
    }

    internal static bool IsHtml(PartMapNode part) => part is { MediaType: "text", Subtype: "html" };

    /// <summary>False when the sink had enough.</summary>
    public bool Feed(ReadOnlySpan<byte> body, DecodedTextSink sink)
    {
        if (_bytes is null)
            return Convert(body, flush: false, sink);
        _bytes.ResetWrittenCount();
        _transfer.Decode(body, _bytes);
        return Convert(_bytes.WrittenSpan, flush: false, sink);
    }

    /// <inheritdoc cref="Feed"/>
    public bool Finish(DecodedTextSink sink)
    {
        if (_bytes is not null)
        {
            _bytes.ResetWrittenCount();
            _transfer.Finish(_bytes);
        }
        if (!Convert(_bytes is null ? [] : _bytes.WrittenSpan, flush: true, sink))
            return false;
        if (_html is null || _text is null)
            return true;
        _text.ResetWrittenCount();
        _html.Finish(_text);
        return _text.WrittenCount == 0 || sink(_text.WrittenSpan, DecodedTextKind.Body);
    }

    private bool Convert(ReadOnlySpan<byte> bytes, bool flush, DecodedTextSink sink)
    {
        bool completed;
        do
        {
            _decoder.Convert(bytes, _chars, flush, out var used, out var made, out completed);
            bytes = bytes[used..];
            var text = new ReadOnlySpan<char>(_chars, 0, made);
            if (_html is not null && _text is not null)
            {
                _text.ResetWrittenCount();
                _html.Feed(text, _text);
                text = _text.WrittenSpan;
            }
            if (!text.IsEmpty && !sink(text, DecodedTextKind.Body))
                return false;
        } while (!completed);
        return true;
    }
}
