using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Sasl;
using EventMail.Protocols.Smtp.Faults;

namespace EventMail.Protocols.Smtp.Commands;

/// <summary>AUTH mechanism [initial-response] (RFC 4954 §4).</summary>
internal static class Auth
{
    public static async ValueTask<SmtpReply?> RunAsync(SmtpSession session)
    {
        if (session.Account is not null)
            return SmtpReplies.AuthDone;
        if (!session.Connection.MaySendPassword)
            return SmtpReplies.TlsFirst;
        if (Parse(session.Arguments, out var mechanism, out var initial) is { } refusal)
            return refusal;
        var authenticator = session.Services.Submission!.Authenticator;
        var exchange = SaslServer.Start(mechanism, session.Connection, authenticator, session.LoginContext(mechanism));
        if (exchange is null)
            return SmtpReplies.NoSuchMechanism;
        // RFC 4954 §4
        if (exchange.IsServerFirst && initial is not null)
            return SmtpReplies.NoInitialResponse;

        var outcome = await SaslFraming.RunAsync(
            session.Connection, exchange, initial, SaslFraming.Smtp, session.Patience(session.Services.Limits.IdleTimeout), CancellationToken.None);
        switch (outcome.End)
        {
            case SaslEnd.Done:
                return await FaultPoints.AtAuthAsync(session, outcome.Result.Account?.Address ?? "") is { } fault
                    ? fault.Reply
                    : Answer(session, outcome.Result, exchange.Mechanism);
            case SaslEnd.Cancelled:
                return SmtpReplies.AuthCancelled;
            case SaslEnd.Malformed:
                return SmtpReplies.AuthMalformed;
            case SaslEnd.LineTooLong:
                return SmtpReplies.AuthLineTooLong;
            case SaslEnd.TimedOut or SaslEnd.Stopping:
                return session.TooLate;
            default:
                session.End();
                return null;
        }
    }

    private static SmtpReply Answer(SmtpSession session, LoginResult result, string mechanism)
    {
        var log = session.Services.Log;
        if (result.Account is { } account)
        {
            session.LogIn(account);
            log.LoggedIn(session.ConnectionId, session.Id, session.ClientIp, account.Address, mechanism);
            return SmtpReplies.AuthSucceeded;
        }

        var reply = Refusal(result.Status);
        log.LoginFailed(session.ConnectionId, session.Id, session.ClientIp, mechanism, reply.Code);
        return ++session.FailedLogins >= session.Services.Limits.MaxFailedLogins ? SmtpReplies.TooManyLogins : reply;
    }

    private static SmtpReply Refusal(LoginStatus status) => status switch
    {
        // RFC 4954 §6: what waiting mends.
        LoginStatus.Throttled or LoginStatus.Unavailable => SmtpReplies.AuthLater,
        // X.7.13 of the registry that RFC 5248 began: the password was right, only who gave it learns this.
        LoginStatus.Suspended => SmtpReplies.AccountDisabled,
        _ => SmtpReplies.BadCredentials,
    };

    // AUTH SP mechanism [SP initial-response]; sasl-mech = 1*20(upper-case letters, digits, "-", "_")
    private static SmtpReply? Parse(ReadOnlySpan<byte> arguments, out string mechanism, out ReadOnlyMemory<byte>? initial)
    {
        (mechanism, initial) = ("", null);
        arguments = arguments.Trim((byte)' ');
        var space = arguments.IndexOf((byte)' ');
        var name = space < 0 ? arguments : arguments[..space];
        if (name.IsEmpty)
            return SmtpReplies.AuthSyntax;
        // Copied: the framing reads on while it needs this.
        if (space >= 0)
            initial = arguments[(space + 1)..].ToArray();
        mechanism = Encoding.ASCII.GetString(name);
        return null;
    }
}
