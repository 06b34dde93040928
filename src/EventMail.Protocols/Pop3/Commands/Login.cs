using EventMail.Domain;
using EventMail.Projections.Accounts;

namespace EventMail.Protocols.Pop3.Commands;

/// <summary>What USER/PASS, APOP and AUTH share: the answer to a login, and the way into the TRANSACTION state.</summary>
internal static class Login
{
    /// <param name="user">As the client gave it, for the log; null where the mechanism keeps it to itself: the authenticator's line has it.</param>
    public static async ValueTask AnswerAsync(Pop3Session session, LoginResult result, string mechanism, string? user)
    {
        if (result.Account is not { } account)
        {
            if (user is not null)
            {
                session.Log.LoginRefused(mechanism, result.Status.ToString());
            }

            session.Err($"{CodeOf(result.Status)} {result.Text}");
            if (++session.FailedLogins >= session.Services.Options.MaxFailedLogins)
            {
                session.End();
            }

            return;
        }

        var opened = await session.Services.Maildrops.OpenAsync(
            account.Account, session.Utf8Mode, session.Connection.Wake, CancellationToken.None);
        if (opened.Value is not { } maildrop)
        {
            var rejection = opened.Rejection!;
            session.Log.LoginRefused(mechanism, rejection.Kind.ToString());
            // RFC 2449 §8.1.2: IN-USE says that the credentials were right.
            session.Err($"{(rejection.Kind == RejectionKind.InUse ? "[IN-USE]" : "[SYS/PERM]")} {rejection.Text}");
            return;
        }

        session.Enter(account, maildrop);
        session.Log.LoggedIn(account.Address, mechanism, maildrop.Count, maildrop.Octets);
        session.Ok($"Maildrop has {maildrop.Count} messages ({maildrop.Octets} octets)");
    }

    // RFC 3206: AUTH is for credentials that the user can put right, SYS for what waiting or the postmaster mends.
    private static string CodeOf(LoginStatus status) => status switch
    {
        LoginStatus.Throttled or LoginStatus.Unavailable => "[SYS/TEMP]",
        LoginStatus.Suspended => "[SYS/PERM]",
        _ => "[AUTH]",
    };
}
