using EventMail.Domain.Accounts;

namespace EventMail.Projections.Accounts;

/// <summary>Why a login counts no more.</summary>
public enum LoginEnd
{
    /// <summary>It counts.</summary>
    None,

    /// <summary>A password was set or an app password revoked: whoever was in may not be whom the account is for.</summary>
    CredentialsChanged,

    /// <summary>The account is suspended or closed.</summary>
    Disabled,
}

/// <summary>
/// Tells sessions that their login counts no more, wherever it was changed. Moved by the commit feed, so that nobody polls. Thread-safe.
/// </summary>
public sealed class LoginWatch
{
    private readonly Dictionary<string, HashSet<WatchedLogin>> _logins = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly Func<string, AccountState?> _now;

    /// <param name="now">An account as it is in memory, if it is.</param>
    internal LoginWatch(Func<string, AccountState?> now) => _now = now;

    /// <param name="login">The account as it was when its client logged in.</param>
    /// <param name="ended">Called once, when it ends later than now; on any thread, must be quick.</param>
    public WatchedLogin Watch(AccountEntry login, Action ended)
    {
        var watched = new WatchedLogin(this, login, ended);
        lock (_lock)
        {
            if (!_logins.TryGetValue(login.Account, out var all))
                _logins[login.Account] = all = [];
            all.Add(watched);
        }
        // What happened between the login and this moment was told to nobody.
        if (_now(login.Account) is { } state)
            watched.Look(state, isNews: false);
        return watched;
    }

    internal void Follow(AccountState after)
    {
        WatchedLogin[] all;
        lock (_lock)
            all = _logins.TryGetValue(after.Account, out var found) ? [.. found] : [];
        foreach (var login in all)
            login.Look(after, isNews: true);
    }

    internal void Leave(WatchedLogin login)
    {
        lock (_lock)
        {
            if (_logins.TryGetValue(login.Account, out var all) && all.Remove(login) && all.Count == 0)
                _logins.Remove(login.Account);
        }
    }
}

/// <summary>One session's login, for as long as the session minds.</summary>
public sealed class WatchedLogin : IDisposable
{
    private readonly LoginWatch _watch;
    private readonly long _credentials;
    private readonly Action _ended;
    private int _end;

    internal WatchedLogin(LoginWatch watch, AccountEntry login, Action ended) =>
        (_watch, Account, _credentials, _ended) = (watch, login.Account, login.CredentialVersion, ended);

    internal string Account { get; }

    public LoginEnd End => (LoginEnd)Volatile.Read(ref _end);

    internal void Look(AccountState now, bool isNews)
    {
        var end = now.Status != AccountStatus.Open ? LoginEnd.Disabled
            : now.CredentialVersion != _credentials ? LoginEnd.CredentialsChanged
            : LoginEnd.None;
        if (end != LoginEnd.None && Interlocked.CompareExchange(ref _end, (int)end, (int)LoginEnd.None) == (int)LoginEnd.None && isNews)
            _ended();
    }

    public void Dispose() => _watch.Leave(this);
}
