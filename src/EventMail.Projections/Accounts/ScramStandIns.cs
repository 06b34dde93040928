using System.Security.Cryptography;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Accounts;

/// <summary>
/// What SCRAM shows of users who do not exist: salt and iterations that look like a real account's, the same at every try, and the
/// same for a bare name as for the full address that it would stand for. No proof fits them. Thread-safe.
/// </summary>
internal sealed class ScramStandIns(NpgsqlDataSource source, Directory directory, SecretKey key, int iterations)
{
    /// <summary>RFC 7677 §4, where no account has keys yet.</summary>
    private const int LeastIterations = 4096;

    // A name is asked for again and again by whoever guesses; an answer may lag behind the accounts that it is modelled on.
    private const int Remembered = 10_000;
    private static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(30);

    private sealed record Answer(byte[] Salt, int Iterations, long Until);

    private readonly BoundedCache<string, Answer> _answers = new(Remembered, StringComparer.Ordinal);

    /// <summary>A real account's keys, where it has such.</summary>
    public static ScramKeys? KeysOf(AccountState? account, HashAlgorithmName hash) =>
        hash == HashAlgorithmName.SHA1 ? account?.ScramSha1 : account?.Scram;

    /// <param name="user">As the client gave it.</param>
    public async ValueTask<ScramKeys> OfAsync(string user, HashAlgorithmName hash, CancellationToken cancel)
    {
        var name = LoginNames.Canonical(user);
        var remembered = $"{hash.Name} {name}";
        if (!_answers.TryGet(remembered, out var answer) || answer.Until <= Environment.TickCount64)
        {
            var (salt, rounds) = await MakeAsync(name, hash, cancel).ConfigureAwait(false);
            answer = new(salt, rounds, Environment.TickCount64 + (long)RememberedFor.TotalMilliseconds);
            _answers.Set(remembered, answer);
        }
        var size = PasswordHasher.KeyBytes(hash);
        return new(answer.Salt, answer.Iterations, RandomNumberGenerator.GetBytes(size), RandomNumberGenerator.GetBytes(size));
    }

    private async Task<(byte[] Salt, int Iterations)> MakeAsync(string name, HashAlgorithmName hash, CancellationToken cancel)
    {
        if (!name.Contains('@') && await ModelAsync(name, cancel).ConfigureAwait(false) is { } neighbour)
            name += neighbour.Address[neighbour.Address.LastIndexOf('@')..];
        // A bare name that several accounts share is nobody's, but the address that it was completed to is somebody's.
        if (KeysOf(await directory.LoginAsync(name, cancel).ConfigureAwait(false), hash) is { } real)
            return (real.Salt, real.Iterations);
        // An account that was made before a setting changed keeps its number until its next login: so does who is modelled on it.
        var rounds = KeysOf(await ModelAsync(name, cancel).ConfigureAwait(false), hash)?.Iterations
            ?? (iterations > 0 ? iterations : LeastIterations);
        // A real account that gets other iterations gets another salt with them.
        var salted = hash == HashAlgorithmName.SHA256 ? "" : $" {hash.Name}";
        return (key.SaltOfStranger($"{name} {rounds}{salted}"), rounds);
    }

    // An account that the name leads to by chance, always the same while the accounts are; ids are random.
    private async Task<AccountState?> ModelAsync(string name, CancellationToken cancel)
    {
        const string sql = """
            select coalesce(
              (select account from account where account >= $1 order by account limit 1),
              (select account from account order by account limit 1))
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = AppPasswords.AccountIdOf(key.SaltOfStranger($"model {name}")) });
        return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) is string account
            ? await directory.StateAsync(account, cancel).ConfigureAwait(false)
            : null;
    }
}
