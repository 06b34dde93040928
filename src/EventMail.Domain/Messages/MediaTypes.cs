using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>What a part's media type means for the structure of the message.</summary>
public enum PartKind : byte
{
    Basic,
    Text,
    Multipart,

    /// <summary>message/rfc822 or message/global.</summary>
    Message,
}

/// <summary>The type and subtype of one Content-Type field, as written.</summary>
internal readonly record struct MediaType(string Type, string Subtype, PartKind Kind)
{
    // RFC 2045 §5.2: the default without a Content-Type and with a syntactically invalid one.
    public static readonly MediaType TextPlain = new("text", "plain", PartKind.Text);

    // RFC 2046 §5.1.5: the default inside multipart/digest.
    public static readonly MediaType MessageRfc822 = new("message", "rfc822", PartKind.Message);

    private static readonly string[] Common =
    [
        "text", "plain", "html", "multipart", "mixed", "alternative", "related", "application", "octet-stream", "pdf",
        "image", "png", "jpeg", "gif", "message", "rfc822", "report", "delivery-status", "signed", "pgp-signature",
        "calendar", "digest", "rfc822-headers", "audio", "video", "pkcs7-signature", "zip", "msword",
    ];

    /// <summary>Leaves the tokens before the first parameter's semicolon. False when the syntax is invalid.</summary>
    public static bool TryRead(ref HeaderTokens tokens, out MediaType mediaType)
    {
        mediaType = TextPlain;
        tokens.SkipCfws();
        var type = tokens.ReadToken();
        if (type.Length == 0 || !tokens.TryTake((byte)'/'))
            return false;
        tokens.SkipCfws();
        var subtype = tokens.ReadToken();
        if (subtype.Length == 0)
            return false;
        mediaType = new MediaType(Name(type.Span), Name(subtype.Span), KindOf(type.Span, subtype.Span));
        return true;
    }

    private static PartKind KindOf(ReadOnlySpan<byte> type, ReadOnlySpan<byte> subtype)
    {
        if (Ascii.EqualsIgnoreCase(type, "text"u8))
            return PartKind.Text;
        if (Ascii.EqualsIgnoreCase(type, "multipart"u8))
            return PartKind.Multipart;
        return Ascii.EqualsIgnoreCase(type, "message"u8)
            && (Ascii.EqualsIgnoreCase(subtype, "rfc822"u8) || Ascii.EqualsIgnoreCase(subtype, "global"u8))
            ? PartKind.Message
            : PartKind.Basic;
    }

    /// <summary>Latin-1, so that the bytes can be written again; no new string for the usual names.</summary>
    private static string Name(ReadOnlySpan<byte> token)
    {
        foreach (var common in Common)
        {
            if (common.Length == token.Length && common[0] == token[0] && System.Text.Ascii.Equals(token, common))
                return common;
        }
        return Encoding.Latin1.GetString(token);
    }
}
