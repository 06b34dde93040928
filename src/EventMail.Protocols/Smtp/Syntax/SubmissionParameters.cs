using System.Globalization;
using System.Text;
using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Syntax;

/// <summary>The values of MAIL's parameters on a submission port.</summary>
internal static class SubmissionParameters
{
    /// <summary>RFC 3461 §4.4.</summary>
    public const int MaxEnvelopeId = 100;

    /// <summary>Digits of HOLDFOR (RFC 4865 §3) and BY (RFC 2852 §4).</summary>
    private const int MaxSeconds = 9;

    private static readonly string[] DateTimes =
    [
        "yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
    ];

    // RFC 4954 §5: "<>" or a mailbox in xtext. Nothing depends on it: the account that logged in is known, and no other is trusted.
    public static SmtpReply? Auth(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session) =>
        value.SequenceEqual("<>"u8)
        || (XText.TryDecode(value, out var mailbox)
            && SmtpPath.TryParse(Encoding.ASCII.GetBytes($"<{mailbox}>"), out _, out var length) && length == mailbox.Length + 2)
            ? null
            : SmtpReplies.BadParameter;

    // RFC 3461 §4.3
    public static SmtpReply? Return(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        draft.Return = Ascii.EqualsIgnoreCase(value, "FULL"u8) ? "full" : Ascii.EqualsIgnoreCase(value, "HDRS"u8) ? "hdrs" : null;
        return draft.Return is null ? SmtpReplies.BadParameter : null;
    }

    // RFC 3461 §4.4
    public static SmtpReply? EnvelopeId(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        if (value.Length > MaxEnvelopeId || !XText.TryDecode(value, out var id))
            return SmtpReplies.BadParameter;
        draft.EnvelopeId = id;
        return null;
    }

    // RFC 8689 §2: only where the session itself is encrypted; in the clear it is not offered.
    public static SmtpReply? RequireTls(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        if (!session.Connection.IsTls)
            return SmtpReplies.UnknownParameter;
        draft.RequireTls = true;
        return null;
    }

    // RFC 4865 §3: future-release-integer = %x31-39 *8DIGIT, in seconds
    public static SmtpReply? HoldFor(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        var now = session.Services.Clock.GetUtcNow();
        return value[0] != (byte)'0' && TrySeconds(value, out var seconds)
            ? Hold(draft, now.AddSeconds(seconds), now, $"for;{seconds}", session)
            : SmtpReplies.BadParameter;
    }

    // RFC 4865 §3, with erratum 2040: HOLDUNTIL=date-time of RFC 3339 §5.6
    public static SmtpReply? HoldUntil(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        Span<char> text = stackalloc char[40];
        return value.Length <= text.Length && Ascii.ToUtf16(value, text, out var length) == System.Buffers.OperationStatus.Done
            && (text[length - 1] is 'Z' or 'z' || length > 6 && text[length - 3] == ':' && text[length - 6] is '+' or '-')
            && DateTimeOffset.TryParseExact(
                text[..length].ToString().ToUpperInvariant(), DateTimes, CultureInfo.InvariantCulture, DateTimeStyles.None, out var until)
                ? Hold(draft, until.ToUniversalTime(), session.Services.Clock.GetUtcNow(), $"until;{text[..length]}", session)
                : SmtpReplies.BadParameter;
    }

    // RFC 4865 §4.2: one of the two only, and not beyond what EHLO announced. A moment that is over already holds nothing.
    private static SmtpReply? Hold(MailParameters draft, DateTimeOffset until, DateTimeOffset now, string request, SmtpSession session)
    {
        if (draft.HoldUntil is not null)
            return SmtpReplies.BadParameter;
        if (until - now > session.Services.Limits.MaxHold)
            return SmtpReplies.HeldTooLong;
        (draft.HoldUntil, draft.FutureRelease) = (until, request);
        return null;
    }

    // by-value = by-time ";" by-mode [by-trace]; by-time = ["-" / "+"] 1*9DIGIT; by-mode = "N" / "R"; by-trace = "T" (RFC 2852 §4)
    public static SmtpReply? DeliverBy(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        var semicolon = value.IndexOf((byte)';');
        if (semicolon < 1)
            return SmtpReplies.BadParameter;
        var time = value[..semicolon];
        var negative = time[0] == (byte)'-';
        if (time[0] is (byte)'-' or (byte)'+')
            time = time[1..];
        var mode = value[(semicolon + 1)..];
        if (!TrySeconds(time, out var seconds) || mode.Length is not (1 or 2) || (mode.Length == 2 && (mode[1] | 0x20) != 't'))
            return SmtpReplies.BadParameter;
        var letter = (char)(mode[0] & ~0x20);
        // §4: with "R" there is some time; zero or less is an error of syntax, 501 5.5.4.
        if (letter is not ('N' or 'R') || (letter == 'R' && (negative || seconds == 0)))
            return SmtpReplies.BadParameter;
        draft.DeliverBy = new(session.Services.Clock.GetUtcNow().AddSeconds(negative ? -seconds : seconds), letter.ToString(), mode.Length == 2);
        return null;
    }

    // priority-value = (["-"] NZDIGIT) / "0" (RFC 6710 §7)
    public static SmtpReply? Priority(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        draft.Priority = MessagePriority.Read(value);
        return draft.Priority is null ? SmtpReplies.BadParameter : null;
    }

    private static bool TrySeconds(ReadOnlySpan<byte> digits, out int seconds)
    {
        seconds = 0;
        return digits.Length is > 0 and <= MaxSeconds && !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out seconds);
    }
}
