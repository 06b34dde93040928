using System.Buffers.Text;
using System.Text;
using EventMail.Domain.Deliveries;

namespace EventMail.Protocols.Smtp.Syntax;

public enum BodyType
{
    SevenBit,
    EightBitMime,
    BinaryMime,
}

/// <summary>What MAIL FROM said besides the address.</summary>
public sealed class MailParameters
{
    private static readonly ParameterTable<MailParameters> Table = new(
        SmtpReplies.MailSyntax,
        // RFC 1870
        new("SIZE", SmtpRoles.All, true, ReadSize),
        // RFC 6152, RFC 3030
        new("BODY", SmtpRoles.All, true, ReadBody),
        // RFC 6531
        new("SMTPUTF8", SmtpRoles.All, false, static (draft, _, _) =>
        {
            draft.SmtpUtf8 = true;
            return null;
        }),
        new("AUTH", SmtpRoles.Submission, true, SubmissionParameters.Auth),
        new("RET", SmtpRoles.Submission, true, SubmissionParameters.Return),
        new("ENVID", SmtpRoles.Submission, true, SubmissionParameters.EnvelopeId),
        new("REQUIRETLS", SmtpRoles.Submission, false, SubmissionParameters.RequireTls),
        new("HOLDFOR", SmtpRoles.Submission, true, SubmissionParameters.HoldFor),
        new("HOLDUNTIL", SmtpRoles.Submission, true, SubmissionParameters.HoldUntil),
        new("BY", SmtpRoles.Submission, true, SubmissionParameters.DeliverBy),
        new("MT-PRIORITY", SmtpRoles.Submission, true, SubmissionParameters.Priority));

    /// <summary>In bytes; 0 when not declared.</summary>
    public long Size { get; private set; }

    public BodyType Body { get; private set; }

    /// <summary>Declared; what the message needs is another thing.</summary>
    public bool SmtpUtf8 { get; private set; }

    /// <summary>RET (RFC 3461 §4.3): "full" or "hdrs"; null when none was given.</summary>
    public string? Return { get; internal set; }

    /// <summary>ENVID (RFC 3461 §4.4), xtext decoded.</summary>
    public string? EnvelopeId { get; internal set; }

    /// <summary>RFC 8689.</summary>
    public bool RequireTls { get; internal set; }

    /// <summary>HOLDFOR or HOLDUNTIL (RFC 4865).</summary>
    public DateTimeOffset? HoldUntil { get; internal set; }

    /// <summary>What HOLDFOR or HOLDUNTIL said, as notifications repeat it (RFC 4865 §5.1.2).</summary>
    public string? FutureRelease { get; internal set; }

    /// <summary>BY (RFC 2852).</summary>
    public DeliverBy? DeliverBy { get; internal set; }

    /// <summary>MT-PRIORITY (RFC 6710): -9 to 9; null when none was given.</summary>
    public int? Priority { get; internal set; }

    /// <summary>Null when all is well, else the refusal.</summary>
    // RFC 4865 §5.2.2: what is due before it may leave cannot be honoured.
    internal static SmtpReply? Parse(ReadOnlySpan<byte> text, SmtpSession session, out MailParameters parsed) =>
        Table.Parse(text, parsed = new(), session) ?? (parsed.HoldUntil > parsed.DeliverBy?.At ? SmtpReplies.HeldBeyondTime : null);

    // size-value = 1*20DIGIT; what a long cannot hold is too large in any case.
    private static SmtpReply? ReadSize(MailParameters draft, ReadOnlySpan<byte> digits, SmtpSession session)
    {
        if (digits.Length > 20 || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return SmtpReplies.BadParameter;
        draft.Size = Utf8Parser.TryParse(digits, out long size, out _) ? size : long.MaxValue;
        return null;
    }

    private static SmtpReply? ReadBody(MailParameters draft, ReadOnlySpan<byte> value, SmtpSession session)
    {
        BodyType? body = Ascii.EqualsIgnoreCase(value, "7BIT"u8) ? BodyType.SevenBit
            : Ascii.EqualsIgnoreCase(value, "8BITMIME"u8) ? BodyType.EightBitMime
            : Ascii.EqualsIgnoreCase(value, "BINARYMIME"u8) ? BodyType.BinaryMime
            : null;
        draft.Body = body ?? default;
        return body is null ? SmtpReplies.BadParameter : null;
    }
}
