using System.Security.Cryptography;
using EventMail.Domain.Accounts;

namespace EventMail.Projections.Accounts;

public sealed record PasswordHashOptions
{
    public Argon2Parameters Argon2 { get; init; } = new();

    /// <summary>How many hashes are computed at once; 0: as many as there are processors.</summary>
    public int MaxConcurrent { get; init; }

    /// <summary>PBKDF2 rounds of SCRAM's keys (RFC 7677 §4 asks for at least 4,096); the client does them at every login. 0: no SCRAM.</summary>
    public int ScramIterations { get; init; } = 65_536;

    /// <summary>Keys for SCRAM-SHA-1 too.</summary>
    public bool ScramSha1 { get; init; } = true;
}

/// <summary>What is kept of a password.</summary>
/// <param name="Hash">Argon2id in PHC string format.</param>
public sealed record DerivedKeys(string Hash, ScramKeys? Scram, ScramKeys? ScramSha1);

/// <summary>What is made of passwords. Hashes off the caller's thread, a bounded number at once. Thread-safe.</summary>
public sealed class PasswordHasher(PasswordHashOptions options) : IDisposable
{
    private const int ScramSaltBytes = 16;

    private readonly SemaphoreSlim _gate = new(options.MaxConcurrent > 0 ? options.MaxConcurrent : Environment.ProcessorCount);

    public PasswordHashOptions Options { get; } = options;

    /// <summary>What unknown users' passwords are checked against.</summary>
    public string Unmatchable { get; } = Argon2.Unmatchable(options.Argon2);

    /// <summary>Waits for a turn at hashing; dispose it soon.</summary>
    public async ValueTask<Turn> TurnAsync(CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel).ConfigureAwait(false);
        return new(_gate);
    }

    /// <param name="password">Prepared: <see cref="PreparedPassword"/>.</param>
    public async Task<DerivedKeys> DeriveAsync(byte[] password, CancellationToken cancel)
    {
        using var turn = await TurnAsync(cancel).ConfigureAwait(false);
        return await turn.RunAsync(() => new DerivedKeys(
            Argon2.Hash(password, Options.Argon2),
            Scram(password, HashAlgorithmName.SHA256, Options.ScramIterations),
            Scram(password, HashAlgorithmName.SHA1, Sha1Iterations))).ConfigureAwait(false);
    }

    /// <summary>Made with other parameters than those of today.</summary>
    public bool IsOutdated(AccountState account) =>
        Argon2.ParametersOf(account.PasswordHash) != Options.Argon2
        || (account.Scram?.Iterations ?? 0) != Options.ScramIterations
        || (account.ScramSha1?.Iterations ?? 0) != Sha1Iterations;

    private int Sha1Iterations => Options.ScramSha1 ? Options.ScramIterations : 0;

    private static ScramKeys? Scram(byte[] password, HashAlgorithmName hash, int iterations) =>
        iterations > 0 ? ScramKeysOf(password, RandomNumberGenerator.GetBytes(ScramSaltBytes), iterations, hash) : null;

    // RFC 5802 §3: SaltedPassword := Hi(Normalize(password), salt, i) …
    internal static ScramKeys ScramKeysOf(ReadOnlySpan<byte> password, byte[] salt, int iterations, HashAlgorithmName hash)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, hash, KeyBytes(hash));
        var client = CryptographicOperations.HmacData(hash, salted, "Client Key"u8);
        return new(
            salt, iterations, CryptographicOperations.HashData(hash, client), CryptographicOperations.HmacData(hash, salted, "Server Key"u8));
    }

    internal static int KeyBytes(HashAlgorithmName hash) =>
        hash == HashAlgorithmName.SHA1 ? SHA1.HashSizeInBytes : SHA256.HashSizeInBytes;

    public void Dispose() => _gate.Dispose();

    public readonly struct Turn(SemaphoreSlim gate) : IDisposable
    {
        /// <summary>On a thread of the pool, so that no event loop waits for it.</summary>
        public Task<T> RunAsync<T>(Func<T> hash) => Task.Run(hash);

        public void Dispose() => gate.Release();
    }
}
