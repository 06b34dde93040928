using System.Text;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Accounts;

/// <summary>
/// Capture mode's door: whoever names himself is in, and what he showed is written down. Exists only where the command line asked for
/// capture mode. Thread-safe.
/// </summary>
public sealed class OpenLogins(EventLog log, AccountService accounts, ILoggerFactory loggers, TimeProvider? time = null)
{
    // What an SMTP client calls itself need not be anybody's mailbox: "apikey" is common.
    private const string NobodysId = "captured";

    private readonly ILogger _log = loggers.CreateLogger("EventMail.Capture");
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    /// <param name="password">As sent (UTF-8); null where the mechanism does not show it.</param>
    internal async ValueTask<LoginResult> EnterAsync(string user, ReadOnlyMemory<byte>? password, LoginContext context, CancellationToken cancel)
    {
        var (name, shown) = (LoginNames.ForTheLog(user), password is { } octets ? Encoding.UTF8.GetString(octets.Span) : null);
        var metadata = new EventMetadata(name, context.SessionId, null, context.HeadersJson);
        var stream = AccountStreamKinds.StrangersStream(_time.GetUtcNow());
        var captured = new CredentialsCaptured(name, shown, context.Protocol, context.Mechanism, context.Client.ToString(), context.Tls);
        await log.Executor.ExecuteAsync(new AccountCommand(metadata, [stream], decision => decision.Append(stream.Key, captured)), cancel).ConfigureAwait(false);
        _log.CredentialsCaptured(context.Protocol, context.Mechanism, name, shown ?? "(not shown)", context.Client.ToString(), context.SessionId);
        if (context.Protocol == "smtp")
            return new(LoginStatus.Ok, new(NobodysId, name, false, 0, null, false, false, _time.GetUtcNow()), "Logged in", null);

        var at = user.LastIndexOf('@');
        if (MailAddress.OfAnybody(at < 0 ? user : user[..at], at < 0 ? "" : user[(at + 1)..]) is not { } address)
            return new(LoginStatus.BadCredentials, null, "That is no name of a mailbox", null);
        var account = await accounts.CaptureAsync(address, new Actor(name, context.SessionId, context.HeadersJson ?? "{}"), cancel).ConfigureAwait(false);
        return account.Rejection is { } rejection
            ? new(LoginStatus.Unavailable, null, rejection.Text, null)
            : new(LoginStatus.Ok, account.Value, "Logged in", null);
    }
}

internal static partial class OpenLoginsLog
{
    [LoggerMessage(1101, LogLevel.Information,
        "Captured {protocol} login: user {user}, password {password} (auth_method {auth_method}, ip_address {ip_address}, session_id {session_id})")]
    public static partial void CredentialsCaptured(
        this ILogger log, string protocol, string auth_method, string user, string password, string ip_address, string session_id);
}
