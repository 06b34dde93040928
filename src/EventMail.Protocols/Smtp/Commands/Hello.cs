using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>EHLO and HELO (RFC 5321 §4.1.1.1), LHLO (RFC 2033 §4.1). Each also ends a transaction.</summary>
internal static class Hello
{
    public static ValueTask<SmtpReply?> ExtendedAsync(SmtpSession session) => GreetAsync(session, extended: true);

    public static ValueTask<SmtpReply?> PlainAsync(SmtpSession session) => GreetAsync(session, extended: false);

    private static async ValueTask<SmtpReply?> GreetAsync(SmtpSession session, bool extended)
    {
        if (ClientNames.Read(session.Arguments.Trim((byte)' ')) is not { } name)
            return SmtpReplies.GreetingSyntax;
        session.Greeted(name, extended);
        await session.ResetAsync();
        if (!extended)
            return session.Services.Hello;
        session.Send(SmtpExtensions.Answer(session));
        return null;
    }
}
