using Npgsql;

namespace EventMail.EventStore;

/// <summary>How many keys were wrapped anew, and which rows' keys could not be, because they were damaged before.</summary>
public sealed record Rewrapped(long Keys, IReadOnlyList<string> Damaged);

/// <summary>
/// Destroys wrapping keys without losing what else they wrap. Three steps, each of which may be done again after a crash: the keys are retired, so that
/// no row names them that is not there yet; what they wrap is wrapped anew; their files are destroyed. Ingest waits for none of them.
/// </summary>
public sealed class KeyRetirement(EventLog log)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(100);

    /// <summary>How long transactions that began before may take to end, before it fails.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// From its end on no row comes to name these keys, from whichever process: a statement that inserts one sees that they are retired, and those
    /// that might not have seen it have ended.
    /// </summary>
    /// <exception cref="TimeoutException">One of them has not; says which.</exception>
    public async Task RetireAsync(IReadOnlyCollection<long> wrappingKeys, CancellationToken cancel)
    {
        log.Keys.Retire(wrappingKeys);
        await using (var retire = log.DataSource.CreateCommand("insert into eventmail.retired_key (kek) select unnest($1::bigint[]) on conflict do nothing"))
        {
            retire.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. wrappingKeys] });
            await retire.ExecuteNonQueryAsync(cancel);
        }
        await WritersEndAsync(cancel);
    }

    // A statement has its lock on the table before it takes the snapshot that it works with: whoever has no lock now sees what is committed now.
    private async Task WritersEndAsync(CancellationToken cancel)
    {
        const string writing = """
            select l.virtualtransaction, l.pid from pg_locks l
            where l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and l.granted and l.pid <> pg_backend_pid()
              and l.database = (select oid from pg_database where datname = current_database())
              and l.relation = any($1::regclass[]::oid[])
            """;
        HashSet<(string, int)>? awaited = null;
        var deadline = DateTime.UtcNow + Patience;
        for (var wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            await using var command = log.DataSource.CreateCommand(writing);
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. WrappedKeyTables.All.Select(t => t.Table)] });
            var now = new HashSet<(string, int)>();
            await using (var reader = await command.ExecuteReaderAsync(cancel))
                while (await reader.ReadAsync(cancel))
                    now.Add((reader.GetString(0), reader.GetInt32(1)));
            if (awaited is null)
                awaited = now;
            else
                awaited.IntersectWith(now);
            if (awaited.Count == 0)
                return;
            if (DateTime.UtcNow > deadline)
                throw new TimeoutException(
                    $"PostgreSQL's process {awaited.First().Item2} has a transaction open that writes contents, since {Patience.TotalSeconds} s: end it, and this goes on when it is begun again");
            await Task.Delay(wait, cancel);
        }
    }

    /// <summary>Wraps what retired keys wrap with another, in one transaction. What their files lack, and what was damaged, stays as it is.</summary>
    public async Task<Rewrapped> RewrapAsync(IReadOnlyCollection<long> wrappingKeys, CancellationToken cancel)
    {
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var damaged = new List<string>();
        var done = 0L;
        foreach (var table in WrappedKeyTables.All)
        {
            var rows = await WrappedAsync(table, [.. wrappingKeys], connection, transaction, cancel);
            var again = new List<(string Id, WrappedKey Key)>(rows.Count);
            foreach (var (id, wrapped) in rows)
            {
                if (WrapAnew(wrapped, table.PurposeOf(id)) is { } key)
                    again.Add((id, key));
                else
                    damaged.Add($"{table.Table} {id}");
            }
            await UpdateAsync(table, again, connection, transaction, cancel);
            done += again.Count;
        }
        await transaction.CommitAsync(cancel);
        return new(done, damaged);
    }

    private static async Task<List<(string Id, WrappedKey Key)>> WrappedAsync(
        WrappedKeyTable table, long[] wrappingKeys, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            $"select {table.Id}::text, kek, key from {table.Table} where kek = any($1) order by {table.Id} for no key update", connection, transaction)
        {
            Parameters = { new NpgsqlParameter<long[]> { TypedValue = wrappingKeys } },
        };
        var rows = new List<(string, WrappedKey)>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            rows.Add((reader.GetString(0), new(reader.GetInt64(1), reader.GetFieldValue<byte[]>(2))));
        return rows;
    }

    private WrappedKey? WrapAnew(WrappedKey wrapped, byte[] purpose)
    {
        Span<byte> key = stackalloc byte[KeyRing.KeyBytes];
        try
        {
            return log.Keys.TryUnwrap(wrapped.WrappingKey, wrapped.Octets, purpose, key) ? log.Keys.Wrap(key, purpose) : null;
        }
        catch (WrappingKeyMissingException)
        {
            return null; // what it wraps was lost before
        }
        finally
        {
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(key);
        }
    }

    private static async Task UpdateAsync(
        WrappedKeyTable table, List<(string Id, WrappedKey Key)> rows, NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        if (rows.Count == 0)
            return;
        await using var command = new NpgsqlCommand(
            $"""
            update {table.Table} t set kek = w.kek, key = w.key
            from (select id::{table.IdType} as id, kek, key from unnest($1::text[], $2::bigint[], $3::bytea[]) as u (id, kek, key)) w
            where t.{table.Id} = w.id and {WrappedKeyTables.IsNotRetired("w.kek")}
            """,
            connection, transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(r => r.Id)] },
                new NpgsqlParameter<long[]> { TypedValue = [.. rows.Select(r => r.Key.WrappingKey)] },
                new NpgsqlParameter<byte[][]> { TypedValue = [.. rows.Select(r => r.Key.Octets)] },
            },
        };
        command.CommandTimeout = 0;
        if (await command.ExecuteNonQueryAsync(cancel) != rows.Count)
            throw new InvalidOperationException("a key that was to wrap others anew was retired by another process: begin again");
    }

    /// <summary>Destroys retired keys for good: what still names them, here or in a copy, cannot be read any more.</summary>
    public async Task DestroyAsync(IReadOnlyCollection<long> wrappingKeys, CancellationToken cancel)
    {
        foreach (var number in wrappingKeys)
            await Task.Run(() => log.Keys.Destroy(number), cancel);
        await using var destroyed = log.DataSource.CreateCommand("update eventmail.retired_key set destroyed = now() where kek = any($1) and destroyed is null");
        destroyed.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. wrappingKeys] });
        await destroyed.ExecuteNonQueryAsync(cancel);
    }
}
