namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §7. Every name is welcome: who does not exist here is not told apart from a wrong password.</summary>
internal static class User
{
    public static ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        session.User = null;
        if (!session.Connection.MaySendPassword)
        {
            // RFC 2595 §2.3
            session.Err(session.Connection.Tls is null ? "Passwords in plain text are refused here" : "Passwords in plain text are refused here, give STLS first");
        }
        else if (!UserName.TryRead(arguments.Text.Span, out var name))
        {
            session.Rubbish("The name is not UTF-8 text");
        }
        else
        {
            session.User = name;
            session.Ok("Send the password");
        }

        return ValueTask.CompletedTask;
    }
}
