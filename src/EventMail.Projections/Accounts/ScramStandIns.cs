using System.Security.Cryptography;
using EventMail.Domain.Accounts;
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

    /// <param name="user">As the client gave it.</param>
    public async ValueTask<ScramKeys> OfAsync(string user, CancellationToken cancel)
    {
        var name = LoginNames.Canonical(user);
        if (!_answers.TryGet(name, out var answer) || answer.Until <= Environment.TickCount64)
        {
            var (salt, rounds) = await MakeAsync(name, cancel).ConfigureAwait(false);
            answer = new(salt, rounds, Environment.TickCount64 + (long)RememberedFor.TotalMilliseconds);
            _answers.Set(name, answer);
        }
        return new(
            answer.Salt, answer.Iterations, RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes),
            RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes));
    }

    private async Task<(byte[] Salt, int Iterations)> MakeAsync(string name, CancellationToken cancel)
    {
        if (!name.Contains('@') && await ModelAsync(name, cancel).ConfigureAwait(false) is { } neighbour)
            name += neighbour.Address[neighbour.Address.LastIndexOf('@')..];
        // A bare name that several accounts share is nobody's, but the address that it was completed to is somebody's.
        if (await directory.LoginAsync(name, cancel).ConfigureAwait(false) is { Scram: { } real })
            return (real.Salt, real.Iterations);
        // An account that was made before a setting changed keeps its number until its next login: so does who is modelled on it.
        var rounds = (await ModelAsync(name, cancel).ConfigureAwait(false))?.Scram?.Iterations
            ?? (iterations > 0 ? iterations : LeastIterations);
        // A real account that gets other iterations gets another salt with them.
        return (key.SaltOfStranger($"{name} {rounds}"), rounds);
    }

    // An account that the name leads to by chance, always the same while the accounts are; ids are random.
    private async Task<AccountState?> ModelAsync(string name, CancellationToken cancel)
    {
        const string sql = """
            select coalesce(
              (select account from projections_v1.account where account >= $1 order by account limit 1),
              (select account from projections_v1.account order by account limit 1))
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = AppPasswords.AccountIdOf(key.SaltOfStranger($"model {name}")) });
        return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) is string account
            ? await directory.StateAsync(account, cancel).ConfigureAwait(false)
            : null;
    }
}
