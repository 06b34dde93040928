namespace EventMail.Protocols.Smtp.Commands;

/// <summary>The commands that only answer.</summary>
internal static class Simple
{
    // RFC 5321 §4.1.1.9: any argument is ignored.
    public static ValueTask<SmtpReply?> NoopAsync(SmtpSession session) => new(SmtpReplies.Ok);

    public static ValueTask<SmtpReply?> HelpAsync(SmtpSession session) => new(session.Role.Help);

    public static ValueTask<SmtpReply?> QuitAsync(SmtpSession session) => new(SmtpReplies.Bye);

    // RFC 5321 §7.3: who exists here is not told.
    public static ValueTask<SmtpReply?> VrfyAsync(SmtpSession session) =>
        new(session.Arguments.Trim((byte)' ').IsEmpty ? SmtpReplies.VrfySyntax : SmtpReplies.VerifyNot);

    public static ValueTask<SmtpReply?> NotImplementedAsync(SmtpSession session) => new(SmtpReplies.NotImplemented);
}
