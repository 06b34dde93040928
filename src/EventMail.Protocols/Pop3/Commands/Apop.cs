using System.Text;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>RFC 1939 §7: for accounts that opted in, since the server must be able to read their password.</summary>
internal static class Apop
{
    private const int DigestLength = 32;

    public static async ValueTask RunAsync(Pop3Session session, Pop3Arguments arguments)
    {
        session.User = null;
        if (session.Timestamp is not { } timestamp)
        {
            session.Err("APOP is not on offer, the greeting had no timestamp");
            return;
        }

        // The digest is the last word: names may have spaces.
        var text = arguments.Text.Span.Trim((byte)' ');
        var space = text.LastIndexOf((byte)' ');
        if (space < 0 || text.Length - space - 1 != DigestLength || !UserName.TryRead(text[..space], out var user))
        {
            session.Rubbish("Syntax: APOP name digest");
            return;
        }

        var digest = Encoding.ASCII.GetString(text[(space + 1)..]);
        var result = await Sasl.Apop.LoginAsync(
            session.Services.Authenticator, timestamp, user, digest, session.LoginContext("APOP"), CancellationToken.None);
        await Login.AnswerAsync(session, result, "APOP", user);
    }
}
