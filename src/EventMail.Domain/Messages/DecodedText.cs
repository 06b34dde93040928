namespace EventMail.Domain.Messages;

/// <summary>Where a piece of searchable text comes from.</summary>
public enum DecodedTextKind : byte
{
    /// <summary>One field of the message's own header, "Name: value".</summary>
    Header,

    /// <summary>One field of a body part's or an embedded message's header.</summary>
    PartHeader,

    /// <summary>A piece of a text part; long parts come in several pieces.</summary>
    Body,
}

/// <summary>False: enough, no more text is wanted.</summary>
public delegate bool DecodedTextSink(ReadOnlySpan<char> text, DecodedTextKind kind);

/// <summary>
/// The searchable text of a message in Unicode: header fields with encoded words decoded, text parts without their
/// transfer encoding and character set, HTML without its tags and then with them, reports (message/delivery-status) too. Parts of other types
/// contribute their headers only.
/// </summary>
public static class DecodedText
{
    /// <summary>Bytes that are decoded at a time: the memory of a search, whatever the size of the message.</summary>
    public const int PieceLength = 16 * 1024;

    /// <summary>What is given behind each part, so that no match reaches over.</summary>
    public const string PartEnd = "\n";

    private static readonly TextForm[] Plain = [TextForm.AsRead];
    private static readonly TextForm[] Html = [TextForm.AsRead, TextForm.AsWritten];

    /// <summary>
    /// Gives all text in the order of the message, a line end behind each part. False when the sink had enough.
    /// </summary>
    public static bool ForEach(PartMap map, ReadOnlySpan<byte> content, DecodedTextSink sink) =>
        ForEach(map.Root, content, sink, DecodedTextKind.Header);

    public static bool ForEach(Message message, ReadOnlySpan<byte> content, DecodedTextSink sink) =>
        ForEach(PartMap.Of(message), content, sink);

    /// <summary>
    /// SEARCH TEXT (headers too) and SEARCH BODY (RFC 3501 §6.4.4): the substring, whatever its case.
    /// </summary>
    public static bool Contains(PartMap map, ReadOnlySpan<byte> content, string text, bool inHeader) =>
        Contains(map, content, new Needle(text), inHeader);

    /// <inheritdoc cref="Contains(PartMap, ReadOnlySpan{byte}, string, bool)"/>
    public static bool Contains(PartMap map, ReadOnlySpan<byte> content, Needle text, bool inHeader)
    {
        var matcher = new TextMatcher(text);
        ForEach(map, content, Into(matcher, inHeader));
        return matcher.Matched;
    }

    /// <summary>Gives the matcher what <see cref="Contains"/> looks at, until it has found its text.</summary>
    public static DecodedTextSink Into(TextMatcher matcher, bool inHeader)
    {
        var last = DecodedTextKind.Header;
        return (piece, kind) =>
        {
            if (kind == DecodedTextKind.Header && !inHeader)
                return true;
            // A field is matched by itself; the pieces of a part are one text.
            if (kind != DecodedTextKind.Body || last != DecodedTextKind.Body)
                matcher.Restart();
            last = kind;
            matcher.Feed(piece);
            return !matcher.Matched;
        };
    }

    /// <summary>
    /// In which forms a part's text is given, one after the other. Tags part words that people read as one, and hold the addresses of links:
    /// who searches for either finds it.
    /// </summary>
    public static IReadOnlyList<TextForm> FormsOf(PartMapNode part) => TextPartDecoder.IsHtml(part) ? Html : Plain;

    /// <summary>Fields of one header, decoded. False when the sink had enough.</summary>
    public static bool ForEachField(ReadOnlySpan<byte> header, DecodedTextSink sink, DecodedTextKind kind)
    {
        var at = 0;
        while (HeaderFields.TryNext(header, ref at, out var field))
        {
            if (!SinkField(field.TrimEnd("\r\n"u8), sink, kind))
                return false;
            // RFC 2231 values (file names) cannot be read inside the raw field.
            if (Ascii.StartsWithIgnoreCase(field, "content-"u8) && field.Contains((byte)'*') && !SinkParameters(field, sink, kind))
                return false;
        }
        return true;
    }

    private static bool ForEach(PartMapNode part, ReadOnlySpan<byte> content, DecodedTextSink sink, DecodedTextKind headerKind)
    {
        if (!ForEachField(Slice(content, part.HeaderOffset, part.HeaderLength), sink, headerKind))
            return false;
        if (part.HasText)
        {
            foreach (var form in FormsOf(part))
            {
                if (!ForEachPiece(new(part, form), Slice(content, part.BodyOffset, part.BodyLength), sink))
                    return false;
            }
        }
        foreach (var child in part.Parts)
        {
            if (!ForEach(child, content, sink, DecodedTextKind.PartHeader))
                return false;
        }
        return part.EmbeddedMessage is null || ForEach(part.EmbeddedMessage, content, sink, DecodedTextKind.PartHeader);
    }

    private static bool ForEachPiece(TextPartDecoder decoder, ReadOnlySpan<byte> body, DecodedTextSink sink)
    {
        while (!body.IsEmpty)
        {
            var piece = body[..Math.Min(PieceLength, body.Length)];
            if (!decoder.Feed(piece, sink))
                return false;
            body = body[piece.Length..];
        }
        return decoder.Finish(sink) && sink(PartEnd, DecodedTextKind.Body);
    }

    private static bool SinkField(ReadOnlySpan<byte> field, DecodedTextSink sink, DecodedTextKind kind)
    {
        // The usual field is short and ASCII and needs no string.
        const int shortField = 512;
        if (field.Length > shortField || field.IndexOf("=?"u8) >= 0 || !System.Text.Ascii.IsValid(field))
            return sink(EncodedWords.Decode(field), kind);
        Span<char> text = stackalloc char[shortField];
        var length = 0;
        foreach (var b in field)
        {
            if (b is not ((byte)'\r' or (byte)'\n'))
                text[length++] = (char)b;
        }
        return sink(text[..length], kind);
    }

    private static bool SinkParameters(ReadOnlySpan<byte> field, DecodedTextSink sink, DecodedTextKind kind)
    {
        var tokens = Octets.Of(field).Tokens();
        foreach (var parameter in Rfc2231.Join(ParameterParser.Read(ref tokens, MessageLimits.Default.MaxParameters)))
        {
            var text = parameter.Name.Span.EndsWith("*"u8)
                ? Rfc2231.DecodeExtended(parameter.Value.Span)
                : EncodedWords.Decode(parameter.Value.Span);
            if (!sink(text, kind))
                return false;
        }
        return true;
    }

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> content, long offset, long length)
    {
        var start = (int)Math.Min(offset, content.Length);
        return content.Slice(start, (int)Math.Min(length, content.Length - start));
    }
}
