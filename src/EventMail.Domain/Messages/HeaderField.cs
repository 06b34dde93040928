namespace EventMail.Domain.Messages;

/// <summary>The fields that the reader itself understands.</summary>
public enum HeaderName : byte
{
    Other,
    Date,
    Subject,
    From,
    Sender,
    ReplyTo,
    To,
    Cc,
    Bcc,
    InReplyTo,
    MessageId,
    References,
    MimeVersion,
    ContentType,
    ContentTransferEncoding,
    ContentId,
    ContentDescription,
    ContentMd5,
    ContentDisposition,
    ContentLanguage,
    ContentLocation,
}

/// <summary>
/// One raw field of a header: folded lines as they were, with their line ends. Offsets marked absolute count from
/// the first byte of the message; the others from the first byte of <see cref="Message.HeaderBytes"/>.
/// </summary>
public readonly struct HeaderField
{
    /// <summary>Absolute offset of the field's first byte.</summary>
    public long Offset { get; init; }

    public int BufferOffset { get; init; }

    /// <summary>With the line end of its last line.</summary>
    public int Length { get; init; }

    /// <summary>0 when the line has no colon.</summary>
    public int NameLength { get; init; }

    /// <summary>From <see cref="BufferOffset"/> to the first byte of the body, white space after the colon skipped.</summary>
    public int ValueStart { get; init; }

    /// <summary>Without the last line end.</summary>
    public int ValueLength { get; init; }

    public HeaderName Name { get; init; }
}

internal static class HeaderNames
{
    /// <summary>Known names by length: at most three comparisons for any field.</summary>
    public static HeaderName Find(ReadOnlySpan<byte> name) => name.Length switch
    {
        2 => Is(name, "to"u8) ? HeaderName.To : Is(name, "cc"u8) ? HeaderName.Cc : HeaderName.Other,
        3 => Is(name, "bcc"u8) ? HeaderName.Bcc : HeaderName.Other,
        4 => Is(name, "from"u8) ? HeaderName.From : Is(name, "date"u8) ? HeaderName.Date : HeaderName.Other,
        6 => Is(name, "sender"u8) ? HeaderName.Sender : HeaderName.Other,
        7 => Is(name, "subject"u8) ? HeaderName.Subject : HeaderName.Other,
        8 => Is(name, "reply-to"u8) ? HeaderName.ReplyTo : HeaderName.Other,
        10 => Is(name, "message-id"u8) ? HeaderName.MessageId
            : Is(name, "references"u8) ? HeaderName.References
            : Is(name, "content-id"u8) ? HeaderName.ContentId : HeaderName.Other,
        11 => Is(name, "in-reply-to"u8) ? HeaderName.InReplyTo
            : Is(name, "content-md5"u8) ? HeaderName.ContentMd5 : HeaderName.Other,
        12 => Is(name, "content-type"u8) ? HeaderName.ContentType
            : Is(name, "mime-version"u8) ? HeaderName.MimeVersion : HeaderName.Other,
        16 => Is(name, "content-language"u8) ? HeaderName.ContentLanguage
            : Is(name, "content-location"u8) ? HeaderName.ContentLocation : HeaderName.Other,
        19 => Is(name, "content-disposition"u8) ? HeaderName.ContentDisposition
            : Is(name, "content-description"u8) ? HeaderName.ContentDescription : HeaderName.Other,
        25 => Is(name, "content-transfer-encoding"u8) ? HeaderName.ContentTransferEncoding : HeaderName.Other,
        _ => HeaderName.Other,
    };

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> lowerCase) => Ascii.EqualsIgnoreCase(name, lowerCase);
}
