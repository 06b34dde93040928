using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Accounts;

/// <summary>What a name stands for here.</summary>
internal abstract record NameMeaning
{
    public sealed record Account(string Id) : NameMeaning;

    public sealed record Alias(string[] Targets) : NameMeaning;

    public sealed record Domain : NameMeaning;

    /// <param name="Until">Environment.TickCount64 after which it is looked up again.</param>
    public sealed record Nothing(long Until) : NameMeaning;
}

/// <summary>
/// Names and what they stand for: "user@example.org" an address, "@example.org" a domain, "user" a login name, "" postmaster of
/// last resort. Loaded on demand; whoever learns of a change takes the name out.
/// </summary>
internal sealed class NameTable(NpgsqlDataSource source, DirectoryOptions options)
{
    public const string Postmaster = "";

    private readonly BoundedCache<string, NameMeaning> _names = new(options.Cached, StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _changes;

    public ValueTask<NameMeaning> FindAsync(string name, CancellationToken cancel) =>
        _names.TryGet(name, out var meaning) && !(meaning is NameMeaning.Nothing nothing && nothing.Until <= Environment.TickCount64)
            ? new(meaning)
            : new(LoadAsync(name, cancel));

    public void Forget(params ReadOnlySpan<string> names)
    {
        lock (_lock)
        {
            _changes++;
            foreach (var name in names)
                _names.Remove(name);
        }
    }

    private async Task<NameMeaning> LoadAsync(string name, CancellationToken cancel)
    {
        var before = Interlocked.Read(ref _changes);
        var meaning = await ReadAsync(name, cancel).ConfigureAwait(false);
        // What was read before a change must not stay after it.
        lock (_lock)
        {
            if (before == _changes)
                _names.Set(name, meaning);
        }
        return meaning;
    }

    private Task<NameMeaning> ReadAsync(string name, CancellationToken cancel) => name switch
    {
        Postmaster => OneAsync(
            "select account from account order by not administrator, suspended, opened, account limit 1",
            null, ToAccount, cancel),
        ['@', .. var domain] => OneAsync(
            "select 1 from mail_domain where name = $1", domain, _ => new NameMeaning.Domain(), cancel),
        _ when name.Contains('@') => OneAsync(
            "select account, targets from address where address = $1", name,
            row => row.IsDBNull(0) ? new NameMeaning.Alias(row.GetFieldValue<string[]>(1)) : ToAccount(row), cancel),
        // A bare login name must be one account's only.
        _ => OneAsync(
            "select min(account) from address where local_part = $1 and account is not null having count(*) = 1",
            name, ToAccount, cancel),
    };

    private static NameMeaning ToAccount(NpgsqlDataReader row) => new NameMeaning.Account(row.GetString(0));

    private async Task<NameMeaning> OneAsync(
        string sql, string? argument, Func<NpgsqlDataReader, NameMeaning> meaning, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(sql);
        if (argument is not null)
            command.Parameters.Add(new() { Value = argument });
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        return await row.ReadAsync(cancel).ConfigureAwait(false)
            ? meaning(row)
            : new NameMeaning.Nothing(Environment.TickCount64 + (long)options.UnknownFor.TotalMilliseconds);
    }
}
