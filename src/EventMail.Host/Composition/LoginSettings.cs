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

    public static CommandRateLimits CommandsOf(HostSettings settings) => new()
    {
        PerAddress = settings.Throttle.CommandsPerMinutePerAddress,
        PerUser = settings.Throttle.CommandsPerMinutePerUser,
        ExemptLoopback = settings.Throttle.ExemptLoopback,
    };
}
