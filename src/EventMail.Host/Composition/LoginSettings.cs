using EventMail.Host.Configuration;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Wire;

namespace EventMail.Host.Composition;

/// <summary>The settings Auth and Throttle in the words of those who go by them.</summary>
internal static class LoginSettings
{
    public static PasswordHashOptions HashingOf(HostSettings settings) => new()
    {
        Argon2 = new()
        {
            Iterations = settings.Auth.Argon2.Iterations,
            MemoryKiB = (int)(settings.Auth.Argon2.Memory / 1024),
            Parallelism = settings.Auth.Argon2.Parallelism,
        },
        MaxConcurrent = settings.Auth.MaxConcurrentHashes,
        ScramIterations = settings.Auth.ScramIterations,
        ScramSha1 = settings.Auth.ScramSha1,
    };

    public static AuthenticatorOptions LoginsOf(HostSettings settings) => new()
    {
        CacheFor = settings.Auth.CacheFor,
        CacheAtMost = settings.Auth.CacheAtMost,
        OAuth = OAuthOf(settings.Auth.OAuth),
        Throttle = new()
        {
            Enabled = settings.Throttle.Enabled,
            AddressFailures = settings.Throttle.MaxFailuresPerAddress,
            AddressWindow = settings.Throttle.FailureWindow,
            AccountFailures = settings.Throttle.MaxFailuresPerAccount,
            AccountWindow = settings.Throttle.AccountFailureWindow,
            LockOut = settings.Throttle.LockOut,
            FreeFailures = settings.Throttle.FreeFailures,
            FirstDelay = settings.Throttle.FirstDelay,
            MaxDelay = settings.Throttle.MaxDelay,
            KnownPlacePace = settings.Throttle.KnownPlacePace,
            KnownPlaceWait = settings.Throttle.KnownPlaceWait,
            KnownPlaceFor = settings.Throttle.KnownPlaceFor,
        },
    };

    // Not offered where no issuer is configured; half a configuration is a mistake and said so.
    private static OAuthOptions? OAuthOf(OAuthSettings settings)
    {
        if (settings.Issuer.Length == 0 && settings.Audience.Length == 0 && settings.Keys.Length == 0)
            return null;
        if (settings.Issuer.Length == 0 || settings.Audience.Length == 0 || settings.Keys.Length == 0)
            throw new SettingsException("Auth:OAuth needs Issuer, Audience and Keys");
        if (settings.Keys.Contains("://", StringComparison.Ordinal) && !IsSafe(settings.Keys))
            throw new SettingsException("Auth:OAuth:Keys must be a file, or a URL of https (of http on this machine)");
        return new()
        {
            Issuer = settings.Issuer,
            Audience = settings.Audience,
            Keys = settings.Keys,
            AddressClaim = settings.AddressClaim,
            Scope = settings.Scope,
            AcceptUnmarked = settings.AcceptUnmarked,
            OpenIdConfiguration = settings.OpenIdConfiguration,
            ClockSkew = settings.ClockSkew,
            RefreshEvery = settings.RefreshEvery,
        };
    }

    private static bool IsSafe(string url) => Uri.TryCreate(url, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    public static CommandRateLimits CommandsOf(HostSettings settings) => new()
    {
        PerAddress = settings.Throttle.CommandsPerMinutePerAddress,
        PerUser = settings.Throttle.CommandsPerMinutePerUser,
        ExemptLoopback = settings.Throttle.ExemptLoopback,
    };
}
