using System.Buffers;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>Decodes one text part from any pieces of its body, for callers that do not hold the whole message.</summary>
public sealed class TextPartDecoder
{
    private readonly Decoder _decoder;
    private readonly HtmlText? _html;
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly ArrayBufferWriter<char> _text = new();
    private readonly char[] _chars = new char[4096];
    private TransferDecoder _transfer;

    public TextPartDecoder(PartMapNode part)
    {
        _transfer = new TransferDecoder(part.TransferEncoding);
        _decoder = (Charsets.Find(part.Charset) ?? Charsets.Utf8OrLatin1).GetDecoder();
        _html = part is { MediaType: "text", Subtype: "html" } ? new HtmlText() : null;
    }

    /// <summary>False when the sink had enough.</summary>
    public bool Feed(ReadOnlySpan<byte> body, DecodedTextSink sink)
    {
        _bytes.ResetWrittenCount();
        _transfer.Decode(body, _bytes);
        return Convert(flush: false, sink);
    }

    /// <inheritdoc cref="Feed"/>
    public bool Finish(DecodedTextSink sink)
    {
        _bytes.ResetWrittenCount();
        _transfer.Finish(_bytes);
        if (!Convert(flush: true, sink))
            return false;
        if (_html is null)
            return true;
        _text.ResetWrittenCount();
        _html.Finish(_text);
        return _text.WrittenCount == 0 || sink(_text.WrittenSpan, DecodedTextKind.Body);
    }

    private bool Convert(bool flush, DecodedTextSink sink)
    {
        var bytes = _bytes.WrittenSpan;
        bool completed;
        do
        {
            _decoder.Convert(bytes, _chars, flush, out var used, out var made, out completed);
            bytes = bytes[used..];
            var text = new ReadOnlySpan<char>(_chars, 0, made);
            if (_html is not null)
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
