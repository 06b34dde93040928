using System.Text;
using EventMail.Protocols.Smtp.Syntax;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>EHLO and HELO (RFC 5321 §4.1.1.1), LHLO (RFC 2033 §4.1). Each also ends a transaction.</summary>
internal static class Hello
{
    public static ValueTask<SmtpReply?> EhloAsync(SmtpSession session) =>
        session.IsLmtp ? new(SmtpReplies.WrongGreetingForLmtp) : GreetAsync(session, extended: true);

    public static ValueTask<SmtpReply?> HeloAsync(SmtpSession session) =>
        session.IsLmtp ? new(SmtpReplies.WrongGreetingForLmtp) : GreetAsync(session, extended: false);

    public static ValueTask<SmtpReply?> LhloAsync(SmtpSession session) =>
        session.IsLmtp ? GreetAsync(session, extended: true) : new(SmtpReplies.WrongGreetingForSmtp);

    private static async ValueTask<SmtpReply?> GreetAsync(SmtpSession session, bool extended)
    {
        var name = session.Arguments.Trim((byte)' ');
        if (!SmtpChars.IsGreetingName(name))
            return SmtpReplies.GreetingSyntax;
        session.Greeted(Encoding.ASCII.GetString(name), extended);
        await session.ResetAsync();
        if (!extended)
            return session.Services.Hello;
        var connection = session.Connection;
        session.Send(session.Services.ExtendedHello.For(offerTls: connection.Tls is not null && !connection.IsTls).Span);
        return null;
    }
}
