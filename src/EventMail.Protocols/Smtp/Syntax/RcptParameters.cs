using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>What RCPT TO said besides the address (DSN, RFC 3461).</summary>
public sealed class RcptParameters
{
    /// <summary>RFC 3461 §4.2: of the whole value.</summary>
    internal const int MaxOriginalRecipient = 500;

    private static readonly ParameterTable<RcptParameters> Table = new(
        SmtpReplies.RcptSyntax,
        new("NOTIFY", SmtpRoles.Submission, true, ReadNotify),
        new("ORCPT", SmtpRoles.Submission, true, ReadOriginalRecipient));

    public NotifyOn Notify { get; private set; } = NotifyOn.Default;

    /// <summary>NOTIFY was there.</summary>
    public bool NotifyGiven { get; private set; }

    /// <summary>ORCPT as "type;address", in xtext (RFC 3461 §4.2) or, with the type utf-8, as RFC 6533 §3 has it for 7-bit paths.</summary>
    public string? OriginalRecipient { get; private set; }

    /// <summary>Null when all is well, else the refusal.</summary>
    internal static SmtpReply? Parse(ReadOnlySpan<byte> text, SmtpSession session, out RcptParameters parsed) =>
        Table.Parse(text, parsed = new(), session);

    // notify-esmtp-value = "NEVER" / 1#("SUCCESS" / "FAILURE" / "DELAY"): NEVER stands alone.
    private static SmtpReply? ReadNotify(RcptParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        (draft.Notify, draft.NotifyGiven) = (NotifyOn.None, true);
        if (System.Text.Ascii.EqualsIgnoreCase(value, "NEVER"u8))
            return null;
        foreach (var range in value.Split((byte)','))
        {
            var word = value[range];
            var one = System.Text.Ascii.EqualsIgnoreCase(word, "SUCCESS"u8) ? NotifyOn.Success
                : System.Text.Ascii.EqualsIgnoreCase(word, "FAILURE"u8) ? NotifyOn.Failure
                : System.Text.Ascii.EqualsIgnoreCase(word, "DELAY"u8) ? NotifyOn.Delay
                : NotifyOn.None;
            if (one == NotifyOn.None)
                return SmtpReplies.BadParameter;
            draft.Notify |= one;
        }

        return null;
    }

    private static SmtpReply? ReadOriginalRecipient(RcptParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        draft.OriginalRecipient = value.Length <= MaxOriginalRecipient ? OriginalRecipientText.Read(value) : null;
        return draft.OriginalRecipient is null ? SmtpReplies.BadParameter : null;
    }
}
