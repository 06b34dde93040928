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

    private static readonly byte[] BigEndianMark = [0xfe, 0xff];
    private static readonly byte[] LittleEndianMark = [0xff, 0xfe];

    private readonly HtmlText? _html;
    private readonly ArrayBufferWriter<byte>? _bytes;
    private readonly ArrayBufferWriter<char>? _text;
    private readonly char[] _chars;
    private Decoder _decoder;
    private TransferDecoder _transfer;

    // The first octets of UTF-16, until there are enough of them to tell the order of all.
    private byte[]? _mark;
    private int _marked;

    public TextPartDecoder(PartMapNode part, TextForm form = TextForm.AsRead)
    {
        var charset = Charsets.Find(part.Charset) ?? Charsets.Utf8OrLatin1;
        _decoder = charset.GetDecoder();
        if (charset.Equals(Encoding.Unicode) && !part.Charset.EndsWith("le", StringComparison.OrdinalIgnoreCase))
            _mark = new byte[BigEndianMark.Length];
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

    // RFC 2781 §4.3: without a mark the higher octet comes first.
    private bool TakeMark(ref ReadOnlySpan<byte> bytes, bool flush, DecodedTextSink sink)
    {
        for (; _marked < _mark!.Length && !bytes.IsEmpty; bytes = bytes[1..])
            _mark[_marked++] = bytes[0];
        if (_marked < _mark.Length && !flush)
            return true;
        var first = _mark.AsSpan(0, _marked);
        _mark = null;
        _decoder = (first.SequenceEqual(LittleEndianMark) ? Encoding.Unicode : Encoding.BigEndianUnicode).GetDecoder();
        return first.SequenceEqual(LittleEndianMark) || first.SequenceEqual(BigEndianMark) || Convert(first, flush: false, sink);
    }

    private bool Convert(ReadOnlySpan<byte> bytes, bool flush, DecodedTextSink sink)
    {
        if (_mark is not null && !TakeMark(ref bytes, flush, sink))
            return false;
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
