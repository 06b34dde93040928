namespace EventMail.Projections.Accounts;

/// <summary>How failed logins slow down and lock out. Counted per node; lock-outs are shared by all nodes.</summary>
public sealed record LoginThrottleOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>More failures than this from one address within the window lock it out (security guide: 10 in 1 minute, alert).</summary>
    public int AddressFailures { get; init; } = 10;

    public TimeSpan AddressWindow { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>More failures than this for one account, from wherever, lock it for places that it was never logged in to from.</summary>
    public int AccountFailures { get; init; } = 10;

    public TimeSpan AccountWindow { get; init; } = TimeSpan.FromMinutes(15);

    public TimeSpan LockOut { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Failures within the window that are answered at once; each one more doubles the wait.</summary>
    public int FreeFailures { get; init; } = 3;

    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>
    /// A place that the account was logged in to from is not locked out: past the limit its attempts are let through one in this
    /// time, so that the owner gets in and a stranger beside them gets no further.
    /// </summary>
    public TimeSpan KnownPlacePace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>An attempt that would have to wait longer than this for its turn is turned away.</summary>
    public TimeSpan KnownPlaceWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long after the last login a place counts as known.</summary>
    public TimeSpan KnownPlaceFor { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Addresses, accounts and pairs with recent failures that are kept in memory, of each kind.</summary>
    public int Tracked { get; init; } = 100_000;
}
