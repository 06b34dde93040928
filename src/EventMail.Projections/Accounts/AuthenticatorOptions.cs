namespace EventMail.Projections.Accounts;

public sealed record AuthenticatorOptions
{
    /// <summary>For how long after its last use a verified password needs no hashing. Zero: never.</summary>
    public TimeSpan CacheFor { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For how long at most, however often it is used.</summary>
    public TimeSpan CacheAtMost { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Null: no access tokens are taken.</summary>
    public OAuthOptions? OAuth { get; init; }

    public LoginThrottleOptions Throttle { get; init; } = new();
}
