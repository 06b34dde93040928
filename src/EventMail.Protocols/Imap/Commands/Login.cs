using System.Diagnostics;
using System.Text;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Imap.Grammar;
using EventMail.Protocols.Imap.Responses;

namespace EventMail.Protocols.Imap.Commands;

/// <summary>RFC 3501 §6.2.3, and what LOGIN and AUTHENTICATE have in common.</summary>
internal static class Login
{
    // RFC 5530 §3
    private const string Failed = "AUTHENTICATIONFAILED";
    private const string NotAuthorized = "AUTHORIZATIONFAILED";
    private const string Expired = "EXPIRED";

    /// <summary>A login that may not be tried for ever.</summary>
    public static bool HasFailed(Reply reply) => reply.Code is Failed or NotAuthorized or Expired;

    public static async ValueTask<Reply> RunAsync(ImapSession session, ImapCommand command)
    {
        // RFC 3501 §6.2.3, RFC 5530 §3: nothing is looked at, so nothing can be learned.
        if (!session.Connection.MaySendPassword)
            return Reply.No("Passwords need TLS here", "PRIVACYREQUIRED");
        if (Parse(command, out var user, out var password) is { } error)
            return Reply.Bad(error);
        var started = Stopwatch.GetTimestamp();
        var actor = Stranger(session);
        var context = Context(session, actor) with { Mechanism = "LOGIN" };
        var result = await session.Services.Authenticator.PasswordAsync(user, password, context, session.Cancel).ConfigureAwait(false);
        Array.Clear(password);
        return Finish(session, actor, result, "LOGIN", Stopwatch.GetElapsedTime(started));
    }

    // login = "LOGIN" SP userid SP password; both astring
    private static string? Parse(ImapCommand command, out string user, out byte[] password)
    {
        (user, password) = ("", []);
        var arguments = command.Arguments;
        if (!arguments.ExpectSp() || !arguments.ExpectAString(out var name) || !arguments.ExpectSp()
            || !arguments.ExpectAString(out var secret) || !arguments.ExpectEnd())
            return arguments.Error;
        (user, password) = (Encoding.UTF8.GetString(name), secret.ToArray());
        return null;
    }

    public static LoginContext Context(ImapSession session, Actor actor)
    {
        var connection = session.Connection;
        return new(connection.Details.ClientAddress, "imap", session.SessionId, "", connection.IsTls, actor.HeadersJson);
    }

    /// <summary>Who acts before the login has told.</summary>
    public static Actor Stranger(ImapSession session)
    {
        var details = session.Connection.Details;
        return Actor.ForSession("imap", details.Remote, details.Id, session.SessionId, session.Services.Node);
    }

    public static Reply Finish(ImapSession session, Actor stranger, LoginResult result, string mechanism, TimeSpan duration)
    {
        var services = session.Services;
        if (result.Status != LoginStatus.Ok)
        {
            // RFC 5530 §3. A client that is locked out has the same code as one that is wrong, and is told in words: its user may be honest.
            var code = result.Status switch
            {
                LoginStatus.NotAuthorized => NotAuthorized,
                LoginStatus.Expired => Expired,
                LoginStatus.Suspended => "CONTACTADMIN",
                LoginStatus.Unavailable => "UNAVAILABLE",
                _ => Failed,
            };
            services.Log.LoginFailed(session.Connection, mechanism, code);
            return Reply.No(result.Text, code);
        }

        var account = result.Account!;
        if (!services.SessionsPerUser.TryEnter(account.Account, session.Limits.MaxSessionsPerUser))
            return Reply.No("Too many sessions of this account", "LIMIT");
        session.LogIn(new(account, stranger with { UserName = account.Address, Account = account.LogName }, new(services.Authenticator.ObjectIdKey(account.Account))));
        services.Log.LoggedIn(session.Connection, account.Address, mechanism, duration);
        // RFC 3501 §7.1: the code spares the client a CAPABILITY command.
        return Reply.Ok("Logged in", "CAPABILITY " + Capabilities.Of(session));
    }
}
