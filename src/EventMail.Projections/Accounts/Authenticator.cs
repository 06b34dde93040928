using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Microsoft.Extensions.Logging;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Projections.Accounts;

/// <summary>
/// Says who somebody is. Every login, good or bad, is an event and durable before the answer; failures slow down and lock out;
/// unknown users cost and hear the same as wrong passwords. Thread-safe.
/// </summary>
public sealed class Authenticator
{
    private readonly CommandExecutor _executor;
    private readonly PasswordHasher _hasher;
    private readonly SecretKey _key;
    private readonly ILogger _log;
    private readonly LoginThrottle _throttle;
    private readonly LoginMemory _memory;
    private readonly VerifiedPasswords _verified;
    private readonly ScramStandIns _standIns;
    private readonly TimeProvider _time;

    // Proofs are checked one at a time, none before the one before it is counted. It takes microseconds.
    private readonly SemaphoreSlim _proofs = new(1);

    public Authenticator(
        EventLog log, Directory directory, PasswordHasher hasher, SecretKey key, AuthenticatorOptions options, ILoggerFactory loggers,
        TimeProvider? time = null)
    {
        Argon2.EnsureAvailable();
        _time = time ?? TimeProvider.System;
        (_executor, Directory, _hasher, _key) = (log.Executor, directory, hasher, key);
        _log = loggers.CreateLogger("EventMail.Logins");
        _throttle = new(options.Throttle, _time);
        _memory = new(log.DataSource, options.Throttle, _time);
        _verified = new(options.CacheFor, options.CacheAtMost, _time);
        Tokens = options.OAuth is { } oauth ? new(oauth, _log, _time) : null;
        _standIns = new(log.DataSource, directory, key, hasher.Options.ScramIterations);
    }

    public Directory Directory { get; }

    /// <summary>For ids that an account's clients see: the same on every node and for ever, and no other account's. 16 octets.</summary>
    public byte[] ObjectIdKey(string account) => _key.ObjectIdKey(account);

    /// <summary>Null where no access tokens are taken.</summary>
    public TokenVerifier? Tokens { get; }

    /// <summary>Lets everybody in, in capture mode; null: who they are is to be shown.</summary>
    public OpenLogins? Anybody { get; init; }

    /// <summary>CRAM-MD5 and APOP: some account has opted in to them.</summary>
    public bool OffersSharedSecrets => Anybody is not null || Directory.AnyRecoverableSecret;

    /// <summary>Access tokens.</summary>
    public bool OffersTokens => Anybody is not null || Tokens is not null;

    /// <summary>Passwords that are set get SCRAM keys. Where every password is right the server cannot prove that it knows it, too, unless one is agreed on.</summary>
    public bool OffersScram => Anybody is null or { KnowsPassword: true } && _hasher.Options.ScramIterations > 0;

    /// <summary>And SCRAM-SHA-1's.</summary>
    public bool OffersScramSha1 => OffersScram && _hasher.Options.ScramSha1;

    /// <param name="user">The full address, or the bare local part where it is unique.</param>
    /// <param name="password">As sent (UTF-8).</param>
    public async ValueTask<LoginResult> PasswordAsync(
        string user, ReadOnlyMemory<byte> password, LoginContext context, CancellationToken cancel)
    {
        if (Anybody is { } open)
            return await open.EnterAsync(user, password, context, cancel).ConfigureAwait(false);
        var started = Stopwatch.GetTimestamp();
        var account = await Directory.LoginAsync(user, cancel).ConfigureAwait(false);
        var login = new Login(user, account, context, started);
        if (await AdmitAsync(login, cancel).ConfigureAwait(false) is { } refused)
            return refused;

        var prepared = PreparedPassword.Of(password.Span);
        var proof = _verified.ProofOf(login.Target.Account, account?.CredentialVersion ?? 0, prepared);
        if (prepared is not null && account is not null)
        {
            if (_verified.Contains(proof))
                return await SucceedAsync(login, null, cancel).ConfigureAwait(false);
            if (AppPasswordOf(account, prepared) is { } appPassword)
                return await SucceedAsync(login, appPassword.Id, cancel).ConfigureAwait(false);
        }

        var (right, late) = await CheckAsync(
            login, _hasher.TurnAsync,
            async turn => account is not null && _verified.Contains(proof)
                || await turn.RunAsync(() => Argon2.Verify(account?.PasswordHash ?? _hasher.Unmatchable, prepared)).ConfigureAwait(false)
                && account is not null && prepared is not null,
            cancel).ConfigureAwait(false);
        if (late is { } turnedAway)
            return turnedAway;
        if (!right)
            return await FailAsync(login, cancel).ConfigureAwait(false);

        _verified.Add(proof);
        if (_hasher.IsOutdated(account!))
            await RehashAsync(account!, prepared!, context, cancel).ConfigureAwait(false);
        return await SucceedAsync(login, null, cancel).ConfigureAwait(false);
    }

    /// <summary>Begins a login by proof. Always answers, also for unknown users and while throttled; <see cref="FinishAsync"/> tells.</summary>
    public ValueTask<LoginAttempt> BeginAsync(string user, LoginContext context, CancellationToken cancel) =>
        BeginAsync(user, HashAlgorithmName.SHA256, context, cancel);

    /// <summary>The same for SCRAM with the given hash. An account that has no such keys yet looks like an unknown one.</summary>
    public async ValueTask<LoginAttempt> BeginAsync(string user, HashAlgorithmName scramHash, LoginContext context, CancellationToken cancel)
    {
        var started = Stopwatch.GetTimestamp();
        if (Anybody is { } open)
            return new(user, context, open.KeysFor(scramHash), open.Secret, null, started);
        var account = await Directory.LoginAsync(user, cancel).ConfigureAwait(false);
        var scram = ScramStandIns.KeysOf(account, scramHash)
            ?? await _standIns.OfAsync(account?.Address ?? user, scramHash, cancel).ConfigureAwait(false);
        return new(user, context, scram, SecretOf(account), account, started);
    }

    /// <param name="check">Compares the client's proof in constant time; called at most once, and not while throttled.</param>
    public async ValueTask<LoginResult> FinishAsync(LoginAttempt attempt, Func<LoginAttempt, bool> check, CancellationToken cancel)
    {
        if (Anybody is { } open)
            return await open.ProveAsync(attempt, check, cancel).ConfigureAwait(false);
        var login = new Login(attempt.User, attempt.Account, attempt.Context, attempt.Started);
        if (await AdmitAsync(login, cancel).ConfigureAwait(false) is { } refused)
            return refused;
        var (right, late) = await CheckAsync(
            login, ProofTurnAsync, _ => new(check(attempt) && login.Account is not null), cancel).ConfigureAwait(false);
        return late ?? (right
            ? await SucceedAsync(login, null, cancel).ConfigureAwait(false)
            : await FailAsync(login, cancel).ConfigureAwait(false));
    }

    /// <summary>A login by an access token that <see cref="Tokens"/> has found to be good.</summary>
    /// <param name="user">The address in it.</param>
    public async ValueTask<LoginResult> TokenAsync(string user, LoginContext context, CancellationToken cancel) =>
        await FinishAsync(await BeginAsync(user, context, cancel).ConfigureAwait(false), static _ => true, cancel).ConfigureAwait(false);

    /// <summary>A failed login whatever was shown.</summary>
    public async ValueTask<LoginResult> RefuseAsync(string user, LoginContext context, CancellationToken cancel) =>
        await FinishAsync(await BeginAsync(user, context, cancel).ConfigureAwait(false), static _ => false, cancel).ConfigureAwait(false);

    private sealed class Login(string user, AccountState? account, LoginContext context, long started)
    {
        public string User { get; } = LoginNames.ForTheLog(user);

        public AccountState? Account { get; } = account;

        public LoginContext Context { get; } = context;

        public LoginTarget Target { get; } = new(ClientPrefix.Of(context.Client), account?.Account ?? LoginNames.Stranger(user));

        /// <summary>Known to be a place that the account was logged in to from; false while nobody has asked.</summary>
        public bool KnownPlace { get; set; }

        /// <summary>It waits, or has waited, for its place's turn.</summary>
        public bool Paced { get; set; }

        public FailureVerdict Verdict { get; set; }

        public long Milliseconds => (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds;

        /// <summary>Its events' stream, and who caused them.</summary>
        public StreamRef Stream(DateTimeOffset now) =>
            Account is null ? AccountStreamKinds.StrangersStream(now) : AccountStreamKinds.LoginStream(Account.Account);

        public EventMetadata Metadata(bool proven) => new(
            proven ? Account!.Account : null, Context.SessionId, null,
            Context.HeadersJson ?? $$"""{"protocol":"{{Context.Protocol}}","client_ip":"{{Context.Client}}"}""");
    }

    // Null when the attempt may go on. Unknown names are asked for in the same way, so that nothing tells them apart.
    private async ValueTask<LoginResult?> AdmitAsync(Login login, CancellationToken cancel)
    {
        if (await LockedOutAsync(login, cancel).ConfigureAwait(false) is { } locked)
            return TurnedAway(login, locked);
        login.Paced = _throttle.IsPaced(login.Target);
        if (_throttle.TurnOf(login.Target) is not { } wait)
            return TurnedAway(login, _throttle.Options.KnownPlaceWait);
        if (wait > TimeSpan.Zero)
            await Task.Delay(wait, _time, cancel).ConfigureAwait(false);
        return null;
    }

    // One attempt's turn: a wrong one is counted before the turn is given back, so that no number of parallel attempts gets past the
    // limit. While it waited, others may have gone past it.
    private async ValueTask<(bool Right, LoginResult? Refused)> CheckAsync(
        Login login, Func<CancellationToken, ValueTask<PasswordHasher.Turn>> turns, Func<PasswordHasher.Turn, ValueTask<bool>> isRight,
        CancellationToken cancel)
    {
        while (true)
        {
            using (var turn = await turns(cancel).ConfigureAwait(false))
            {
                if (await LockedOutAsync(login, cancel).ConfigureAwait(false) is { } locked)
                    return (false, TurnedAway(login, locked));
                if (login.Paced || !_throttle.IsPaced(login.Target))
                {
                    if (await isRight(turn).ConfigureAwait(false))
                        return (true, null);
                    await CountAsync(login, cancel).ConfigureAwait(false);
                    return (false, null);
                }
            }
            if (await AdmitAsync(login, cancel).ConfigureAwait(false) is { } refused)
                return (false, refused);
        }
    }

    private async ValueTask<PasswordHasher.Turn> ProofTurnAsync(CancellationToken cancel)
    {
        await _proofs.WaitAsync(cancel).ConfigureAwait(false);
        return new(_proofs);
    }

    private async ValueTask<TimeSpan?> LockedOutAsync(Login login, CancellationToken cancel)
    {
        var locked = _throttle.LockedFor(login.Target);
        if (locked == TimeSpan.Zero || login.KnownPlace)
            return null;
        login.KnownPlace = (await _memory.OfAsync(login.Target, cancel).ConfigureAwait(false)).KnownPlace;
        return login.KnownPlace ? null : locked;
    }

    private LoginResult TurnedAway(Login login, TimeSpan retryAfter)
    {
        _log.LoginTurnedAway(login.Context.Client.ToString(), login.User, login.Context.SessionId, (long)retryAfter.TotalMilliseconds);
        return new(LoginStatus.Throttled, null, "Too many failed logins, try again later", retryAfter);
    }

    private async ValueTask<LoginResult> SucceedAsync(Login login, string? appPassword, CancellationToken cancel)
    {
        // What was proven must still hold: the password may have changed while it was being checked, here or on another node.
        var refreshed = await _executor.RefreshAsync(AccountStreamKinds.AccountStream(login.Account!.Account), cancel).ConfigureAwait(false);
        var account = (AccountState)refreshed.State;
        if (!account.Exists || account.CredentialVersion != login.Account.CredentialVersion)
        {
            await CountAsync(login, cancel).ConfigureAwait(false);
            return await FailAsync(login, cancel).ConfigureAwait(false);
        }
        var context = login.Context;
        if (account.Status == AccountStatus.Suspended)
        {
            await AppendAsync(login, proven: true, Failure(login, LoginFailure.Suspended), cancel).ConfigureAwait(false);
            _log.LoginFailed(
                context.Protocol, account.Address, "user_disabled", context.Client.ToString(), context.Mechanism, context.SessionId,
                login.Milliseconds);
            return new(LoginStatus.Suspended, null, "User disabled: the account is suspended", null);
        }
        if (!context.ForSelf)
        {
            await AppendAsync(login, proven: true, Failure(login, LoginFailure.NotAuthorized), cancel).ConfigureAwait(false);
            _log.LoginFailed(
                context.Protocol, account.Address, "not_authorized", context.Client.ToString(), context.Mechanism, context.SessionId,
                login.Milliseconds);
            return new(LoginStatus.NotAuthorized, null, "Nobody may act as somebody else here", null);
        }
        await AppendAsync(
            login, proven: true,
            new LoginSucceeded(context.Protocol, context.Mechanism, context.Client.ToString(), context.Tls, appPassword),
            cancel).ConfigureAwait(false);
        var milliseconds = login.Milliseconds;
        _log.LoginSucceeded(
            context.Protocol, account.Address, account.Account, context.Client.ToString(), context.Mechanism, context.SessionId,
            milliseconds);
        if (milliseconds > 1000)
            _log.LoginSlow(milliseconds, context.Mechanism, context.SessionId);
        return new(LoginStatus.Ok, Directory.EntryOf(account), "Logged in", null);
    }

    private async ValueTask CountAsync(Login login, CancellationToken cancel)
    {
        var remembered = await _memory.OfAsync(login.Target, cancel).ConfigureAwait(false);
        login.KnownPlace = remembered.KnownPlace;
        _throttle.Adopt(login.Target, remembered.AddressLockedUntil, remembered.AccountLockedUntil);
        login.Verdict = _throttle.Failed(login.Target, login.KnownPlace);
    }

    private async ValueTask<LoginResult> FailAsync(Login login, CancellationToken cancel)
    {
        var context = login.Context;
        var reason = login.Account is null ? LoginFailure.UnknownUser : LoginFailure.WrongPassword;
        var options = _throttle.Options;
        var events = new List<object> { Failure(login, reason) };
        foreach (var (scope, failures) in login.Verdict.Began)
        {
            var window = (int)(scope == LoginThrottle.ByAccount ? options.AccountWindow : options.AddressWindow).TotalSeconds;
            var lockout = scope == LoginThrottle.ByPlace ? 0 : (int)options.LockOut.TotalSeconds;
            events.Add(new LoginThrottled(scope, login.Target.Source.ToString(), login.User, context.Protocol, failures, window, lockout));
            _log.LoginThrottled(scope, failures, window, lockout, context.Client.ToString(), login.User, context.SessionId);
        }
        await AppendAsync(login, proven: false, events, cancel).ConfigureAwait(false);
        _log.LoginFailed(
            context.Protocol, login.User, login.Account is null ? "user_not_found" : "invalid_credentials", context.Client.ToString(),
            context.Mechanism, context.SessionId, login.Milliseconds);
        if (login.Verdict.Delay > TimeSpan.Zero)
            await Task.Delay(login.Verdict.Delay, _time, cancel).ConfigureAwait(false);
        return new(LoginStatus.BadCredentials, null, "Invalid credentials", null);
    }

    private static LoginFailed Failure(Login login, string reason) => new(
        login.User, login.Context.Protocol, login.Context.Mechanism, login.Context.Client.ToString(), login.Context.Tls, reason);

    private Task AppendAsync(Login login, bool proven, object e, CancellationToken cancel) => AppendAsync(login, proven, [e], cancel);

    private async Task AppendAsync(Login login, bool proven, IReadOnlyList<object> events, CancellationToken cancel)
    {
        var stream = login.Stream(_time.GetUtcNow());
        try
        {
            await _executor.ExecuteAsync(
                new AccountCommand(login.Metadata(proven), [stream], decision =>
                {
                    foreach (var e in events)
                        decision.Append(stream.Key, e);
                }),
                cancel).ConfigureAwait(false);
        }
        catch (TenantReadOnlyException moving)
        {
            // Its mail can be read while it moves, and its stream goes on where it moves to: the server's log has what follows.
            _log.LoginNotRecorded(login.User, login.Context.SessionId, moving.Reason);
        }
    }

    // The login stands whether or not this works: the next one tries again.
    private async Task RehashAsync(AccountState account, byte[] password, LoginContext context, CancellationToken cancel)
    {
        try
        {
            var keys = await _hasher.DeriveAsync(password, cancel).ConfigureAwait(false);
            var stream = AccountStreamKinds.AccountStream(account.Account);
            await _executor.ExecuteAsync(
                new AccountCommand(new("system", context.SessionId, null, null), [stream], decision => decision.Apply(
                    stream.Key,
                    AccountDecider.Rehash(decision.State<AccountState>(stream.Key), account.PasswordHash, new(keys.Hash, keys.Scram, keys.ScramSha1)))),
                cancel).ConfigureAwait(false);
        }
        catch (CryptographicException e)
        {
            _log.RehashFailed(e, account.Address, account.Account);
        }
    }

    private static AppPassword? AppPasswordOf(AccountState account, ReadOnlySpan<byte> password)
    {
        if (account.AppPasswords.IsEmpty)
            return null;
        var hash = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(AppPasswords.Canonical(password))));
        AppPassword? found = null;
        foreach (var candidate in account.AppPasswords)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(candidate.Sha256)))
                found = candidate;
        }
        return found;
    }

    private byte[] SecretOf(AccountState? account)
    {
        if (account?.Recoverable is { } recoverable)
        {
            if (_key.Decrypt(account.Account, recoverable) is { } password)
                return password;
            _log.KeyMissing(account.Address, recoverable.KeyId);
        }
        return RandomNumberGenerator.GetBytes(32);
    }
}
