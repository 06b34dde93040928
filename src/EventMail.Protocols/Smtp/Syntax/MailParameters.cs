using System.Buffers.Text;
using System.Text;

namespace EventMail.Protocols.Smtp.Syntax;

public enum BodyType
{
    SevenBit,
    EightBitMime,
    BinaryMime,
}

/// <summary>What MAIL FROM said besides the address: SIZE (RFC 1870), BODY (RFC 6152, RFC 3030), SMTPUTF8 (RFC 6531).</summary>
/// <param name="Size">In bytes; 0 when not declared.</param>
public readonly record struct MailParameters(long Size, BodyType Body, bool SmtpUtf8)
{
    /// <summary>Null when all is well, else the refusal.</summary>
    public static SmtpReply? Parse(ReadOnlySpan<byte> text, out MailParameters parsed)
    {
        parsed = default;
        long? size = null;
        BodyType? body = null;
        var utf8 = false;
        var list = new EsmtpParameters(text);
        while (list.Next())
        {
            if (list.Is("SIZE"u8) && size is null)
            {
                if (!TrySize(list.Value, out var declared))
                    return SmtpReplies.BadParameter;
                size = declared;
            }
            else if (list.Is("BODY"u8) && body is null)
            {
                body = Ascii.EqualsIgnoreCase(list.Value, "7BIT"u8) ? BodyType.SevenBit
                    : Ascii.EqualsIgnoreCase(list.Value, "8BITMIME"u8) ? BodyType.EightBitMime
                    : Ascii.EqualsIgnoreCase(list.Value, "BINARYMIME"u8) ? BodyType.BinaryMime : null;
                if (body is null)
                    return SmtpReplies.BadParameter;
            }
            else if (list.Is("SMTPUTF8"u8) && !utf8)
            {
                if (list.HasValue)
                    return SmtpReplies.BadParameter;
                utf8 = true;
            }
            else if (list.Is("SIZE"u8) || list.Is("BODY"u8) || list.Is("SMTPUTF8"u8))
            {
                // Given twice.
                return SmtpReplies.BadParameter;
            }
            else
            {
                return SmtpReplies.UnknownParameter;
            }
        }

        parsed = new(size ?? 0, body ?? BodyType.SevenBit, utf8);
        return list.Malformed ? SmtpReplies.MailSyntax : null;
    }

    // size-value = 1*20DIGIT; what a long cannot hold is too large in any case.
    private static bool TrySize(ReadOnlySpan<byte> digits, out long size)
    {
        size = 0;
        if (digits.Length is 0 or > 20 || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return false;
        if (!Utf8Parser.TryParse(digits, out size, out _))
            size = long.MaxValue;
        return true;
    }
}
