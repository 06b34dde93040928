using EventMail.Domain.Accounts;
using EventMail.EventStore;

namespace EventMail.Projections.Accounts;

/// <summary>Who is being tried, from where.</summary>
/// <param name="Account">The account's id, or "?" and the name: unknown names are counted just like known ones.</param>
internal readonly record struct LoginTarget(ClientPrefix Source, string Account);

/// <summary>What a failure leads to.</summary>
/// <param name="Delay">Before the answer is given.</param>
/// <param name="Began">Episodes that began with it: their scope, and how many failures there were.</param>
internal readonly record struct FailureVerdict(TimeSpan Delay, IReadOnlyList<(string Scope, int Failures)> Began);

/// <summary>Counts failed logins by address, by account and by both. In memory, bounded, thread-safe.</summary>
internal sealed class LoginThrottle(LoginThrottleOptions options, TimeProvider time)
{
    public const string ByAddress = "address";
    public const string ByAccount = "account";
    public const string ByPlace = "place";

    private readonly BoundedCache<ClientPrefix, FailureCounter> _addresses = new(options.Tracked);
    private readonly BoundedCache<string, FailureCounter> _accounts = new(options.Tracked);
    private readonly BoundedCache<LoginTarget, FailureCounter> _places = new(options.Tracked);

    public LoginThrottleOptions Options { get; } = options;

    private long Now => time.GetUtcNow().UtcTicks;

    /// <summary>The key of a lock-out's row.</summary>
    /// <param name="tenant">Of the stream that the event is in.</param>
    public static string KeyOf(LoginThrottled e, string tenant) =>
        e.Scope == ByAddress ? e.Source
        : tenant == EventStore.StreamKey.DefaultTenant ? LoginNames.Stranger(e.User)
        : tenant;

    /// <summary>How long the address or the account is still locked out; zero when neither is.</summary>
    public TimeSpan LockedFor(LoginTarget target)
    {
        if (!Options.Enabled)
            return TimeSpan.Zero;
        var now = Now;
        var address = _addresses.TryGet(target.Source, out var counter) ? counter.LockedFor(now) : 0;
        var account = _accounts.TryGet(target.Account, out counter) ? counter.LockedFor(now) : 0;
        return TimeSpan.FromTicks(Math.Max(address, account));
    }

    /// <summary>Whether attempts from there are let through one in a time, as <see cref="TurnOf"/> tells.</summary>
    public bool IsPaced(LoginTarget target) => Options.Enabled && _places.TryGet(target, out var counter) && counter.IsPast(Now);

    /// <summary>A known place's turn: how long to wait for it, or null when that is too long.</summary>
    public TimeSpan? TurnOf(LoginTarget target)
    {
        if (!Options.Enabled || !_places.TryGet(target, out var counter))
            return TimeSpan.Zero;
        var wait = counter.TakeTurn(Now, Options.KnownPlacePace, Options.KnownPlaceWait);
        return wait < 0 ? null : TimeSpan.FromTicks(wait);
    }

    /// <param name="knownPlace">The account was logged in to from there: its failures count against the place, not against the account.</param>
    public FailureVerdict Failed(LoginTarget target, bool knownPlace)
    {
        if (!Options.Enabled)
            return new(TimeSpan.Zero, []);
        var now = Now;
        var began = new List<(string, int)>(2);
        var address = _addresses.GetOrAdd(target.Source, _ => new(Options.AddressFailures, Options.AddressWindow))
            .Add(now, Options.LockOut);
        if (address.Begins)
            began.Add((ByAddress, address.Failures));
        var own = knownPlace
            ? _places.GetOrAdd(target, _ => new(Options.AddressFailures, Options.AddressWindow)).Add(now, TimeSpan.Zero)
            : _accounts.GetOrAdd(target.Account, _ => new(Options.AccountFailures, Options.AccountWindow)).Add(now, Options.LockOut);
        if (own.Begins)
            began.Add((knownPlace ? ByPlace : ByAccount, own.Failures));
        return new(DelayAfter(Math.Max(address.Failures, own.Failures)), began);
    }

    /// <summary>A lock-out that the log knows: another node's, or one of before a restart.</summary>
    public void Adopt(LoginTarget target, DateTimeOffset? addressUntil, DateTimeOffset? accountUntil)
    {
        if (addressUntil is { } a)
            _addresses.GetOrAdd(target.Source, _ => new(Options.AddressFailures, Options.AddressWindow)).LockUntil(a.UtcTicks);
        if (accountUntil is { } b)
            _accounts.GetOrAdd(target.Account, _ => new(Options.AccountFailures, Options.AccountWindow)).LockUntil(b.UtcTicks);
    }

    private TimeSpan DelayAfter(int failures)
    {
        var beyond = failures - Options.FreeFailures;
        if (beyond <= 0)
            return TimeSpan.Zero;
        var delay = Options.FirstDelay * Math.Pow(2, Math.Min(beyond - 1, 20));
        return delay < Options.MaxDelay ? delay : Options.MaxDelay;
    }
}
