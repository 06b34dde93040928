namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §7: right after USER. Spaces belong to the password.</summary>
internal static class Pass
{
    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        if (session.User is not { } user)
        {
            session.Rubbish("Give USER first");
            return;
        }

        session.User = null;
        if (!System.Text.Unicode.Utf8.IsValid(arguments.Text.Span))
        {
            // RFC 6856 §2.2
            session.Rubbish("The password is not UTF-8");
            return;
        }

        var result = await session.Services.Authenticator.PasswordAsync(
            user, arguments.Text, session.LoginContext("USER"), CancellationToken.None);
        await Login.AnswerAsync(session, result, "USER", user);
    }
}
