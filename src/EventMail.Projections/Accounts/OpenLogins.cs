using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Accounts;

/// <summary>
/// Capture mode's door: whoever names himself is in, and what he showed is written down. Exists only where the command line asked for
/// capture mode. Thread-safe.
/// </summary>
/// <param name="password">Everybody's in the mechanisms that show none; empty: they are not checked, and SCRAM is not offered.</param>
public sealed class OpenLogins(EventLog log, AccountService accounts, string password, ILoggerFactory loggers, TimeProvider? time = null)
{
    // RFC 7677 §4 asks for no less; nobody's secret is behind them.
    private const int Iterations = 4096;

    // What an SMTP client calls itself need not be anybody's mailbox: "apikey" is common.
    internal const string NobodysId = "captured";

    private readonly byte[]? _password = PreparedPassword.Of(password);
    private readonly byte[] _salt = RandomNumberGenerator.GetBytes(16);
    private readonly ILogger _log = loggers.CreateLogger("EventMail.Capture");
    private readonly TimeProvider _time = time ?? TimeProvider.System;

    public static bool IsPossible(string password) => PreparedPassword.Of(password) is not null;

    internal bool KnowsPassword => _password is not null;

    /// <summary>For CRAM-MD5 and APOP.</summary>
    internal byte[] Secret => _password ?? [];

    internal ScramKeys KeysFor(HashAlgorithmName hash) => PasswordHasher.ScramKeysOf(Secret, _salt, Iterations, hash);

    /// <summary>A login that shows no password: right where none is agreed on.</summary>
    internal async ValueTask<LoginResult> ProveAsync(LoginAttempt attempt, Func<LoginAttempt, bool> check, CancellationToken cancel)
    {
        if (!KnowsPassword || check(attempt))
            return await EnterAsync(attempt.User, null, attempt.Context, cancel).ConfigureAwait(false);
        var (name, context) = (LoginNames.ForTheLog(attempt.User), attempt.Context);
        await AppendAsync(
            name, context, new LoginFailed(name, context.Protocol, context.Mechanism, context.Client.ToString(), context.Tls, LoginFailure.WrongPassword), cancel)
            .ConfigureAwait(false);
        _log.ProofWrong(context.Protocol, context.Mechanism, name, context.Client.ToString(), context.SessionId);
        return new(LoginStatus.BadCredentials, null, "That is not the password of Capture:Password", null);
    }

    /// <param name="password">As sent (UTF-8); null where the mechanism does not show it.</param>
    internal async ValueTask<LoginResult> EnterAsync(string user, ReadOnlyMemory<byte>? password, LoginContext context, CancellationToken cancel)
    {
        var (name, shown) = (LoginNames.ForTheLog(user), password is { } octets ? Encoding.UTF8.GetString(octets.Span) : null);
        await AppendAsync(
            name, context, new CredentialsCaptured(name, shown, context.Protocol, context.Mechanism, context.Client.ToString(), context.Tls), cancel)
            .ConfigureAwait(false);
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

    private async Task AppendAsync(string name, LoginContext context, object e, CancellationToken cancel)
    {
        var stream = AccountStreamKinds.StrangersStream(_time.GetUtcNow());
        var metadata = new EventMetadata(name, context.SessionId, null, context.HeadersJson);
        await log.Executor.ExecuteAsync(new AccountCommand(metadata, [stream], decision => decision.Append(stream.Key, e)), cancel).ConfigureAwait(false);
    }
}

internal static partial class OpenLoginsLog
{
    [LoggerMessage(1101, LogLevel.Information,
        "Captured {protocol} login: user {user}, password {password} (auth_method {auth_method}, ip_address {ip_address}, session_id {session_id})")]
    public static partial void CredentialsCaptured(
        this ILogger log, string protocol, string auth_method, string user, string password, string ip_address, string session_id);

    [LoggerMessage(1102, LogLevel.Warning,
        "{protocol} login of {user} refused: it does not fit Capture:Password (auth_method {auth_method}, ip_address {ip_address}, session_id {session_id})")]
    public static partial void ProofWrong(this ILogger log, string protocol, string auth_method, string user, string ip_address, string session_id);
}
