using System.Net;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.History;
using EventMail.Projections.History.Index;
using Npgsql;

namespace EventMail.Projections.Erasing;

/// <summary>
/// Erases a person from the log: the key of the personal fields is destroyed, and with it goes what read models say of them. What they say of an
/// account that is still open (its address, what is in its queue) is there until it is closed. Messages are erased by themselves.
/// </summary>
public sealed class SubjectErasure(EventLog log)
{
    // Tables of read models that hold what is sealed in the log. $1: the account; $2: keys of lock-outs that are its events'.
    private static readonly (string Table, string Sql)[] Tables =
    [
        ("last_login", "delete from {0}.last_login where account = $1"),
        ("login_place", "delete from {0}.login_place where account = $1"),
        ("login_lockout", "delete from {0}.login_lockout where key = any($2) or key = $1"),
        ("delivery_queue", "update {0}.delivery_queue set sender = '', reason = null where tenant_id = $1"),
        ("metadata", "update {0}.metadata set entries = '[]' where tenant_id = $1"),
        ("metadata_octets", "delete from {0}.metadata_octets where tenant_id = $1"),
    ];

    // $3: what the index calls the account, or nobody; $4: those of the events of nobody's that are erased; $5: where their clients were.
    private static readonly (string Table, string Sql)[] OfAccounts =
    [
        (HistoryTables.Events, $"delete from {{0}}.{HistoryTables.Events} where account = $3"),
        (HistoryTables.Clients, $"delete from {{0}}.{HistoryTables.Clients} where account = $3"),
    ];

    private static readonly (string Table, string Sql)[] OfDays =
    [
        (HistoryTables.Events, $"delete from {{0}}.{HistoryTables.Events} where seq = any($4)"),
        (HistoryTables.Clients, $$"""
            delete from {0}.{{HistoryTables.Clients}} c where c.account = $3 and c.client = any($5)
              and not exists (select from {0}.{{HistoryTables.Events}} h where h.account = c.account and h.client = c.term)
            """),
    ];

    /// <summary>What must be read before the key is gone.</summary>
    /// <param name="Lockouts">The keys of the rows of lock-outs.</param>
    private sealed record Logins(string[] Lockouts, long[] Sequences, IPAddress[] Clients);

    // What is being built begins anew.
    private static readonly string[] Generations = [ReadModelSchema.Name, ReadModelSchema.Previous];

    /// <summary>An account, in the caller's transaction.</summary>
    /// <param name="account">Its id.</param>
    /// <returns>The wrapping key that must be destroyed as well, so that backups cannot be read either; null when nothing of it was sealed.</returns>
    /// <exception cref="SubjectKeyUnusableException">Its key cannot be used: it cannot be told what was made of what it sealed.</exception>
    public async Task<long?> EraseAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string account, CancellationToken cancel)
    {
        var logins = await LoginsAsync(AccountStreamKinds.LoginStream(account).Key, ["login_throttled"], cancel).ConfigureAwait(false);
        return await EraseAsync(connection, transaction, account, account, logins, [.. Tables, .. OfAccounts], cancel).ConfigureAwait(false);
    }

    internal static StreamKey StreamOf(DateOnly day) => AccountStreamKinds.StrangersStream(new(day, TimeOnly.MinValue, TimeSpan.Zero)).Key;

    /// <summary>A day's logins of names that are no account's.</summary>
    public async Task<long?> EraseStrangersAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, DateOnly day, CancellationToken cancel)
    {
        var stream = StreamOf(day);
        var logins = await LoginsAsync(stream, null, cancel).ConfigureAwait(false);
        return await EraseAsync(connection, transaction, DataSubject.Of(stream), stream.Tenant, logins, [.. Tables, .. OfDays], cancel).ConfigureAwait(false);
    }

    private async Task<long?> EraseAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string subject, string tenant, Logins logins, (string Table, string Sql)[] statements,
        CancellationToken cancel)
    {
        await FoldedBeforehand.HoldChangeOversAsync(connection, transaction, cancel).ConfigureAwait(false);
        await ForgetAsync(connection, transaction, subject, tenant, logins, statements, cancel).ConfigureAwait(false);
        var wrapping = await log.Subjects.EraseAsync(connection, transaction, subject, cancel).ConfigureAwait(false);
        // Without a key there is nothing that was read with it.
        if (wrapping is not null)
            await FoldedBeforehand.BeginAnewAsync(connection, transaction, cancel).ConfigureAwait(false);
        return wrapping;
    }

    private async Task<Logins> LoginsAsync(StreamKey stream, string[]? types, CancellationToken cancel)
    {
        var (lockouts, sequences, clients) = (new HashSet<string>(StringComparer.Ordinal), new List<long>(), new HashSet<IPAddress>());
        await foreach (var e in log.Reader.ReadStreamAsync(stream, types: types, cancel: cancel).ConfigureAwait(false))
        {
            if (e.Data is LoginThrottled throttled)
                lockouts.Add(LoginThrottle.KeyOf(throttled, stream.Tenant));
            sequences.Add(e.Sequence);
            if (EventTerms.Client(e) is { } client)
                clients.Add(client);
        }
        return new([.. lockouts], [.. sequences], [.. clients]);
    }

    private static async Task ForgetAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string subject, string tenant, Logins logins, (string Table, string Sql)[] statements,
        CancellationToken cancel)
    {
        var tables = await TablesAsync(connection, transaction, cancel).ConfigureAwait(false);
        // Where there never was an index, there is no key that it is made with.
        var indexed = tables.Any(table => table.Table == HistoryTables.Events)
            ? (await HistoryKey.ReadAsync(connection, cancel).ConfigureAwait(false)).Account(tenant)
            : 0;
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var schema in Generations)
        {
            foreach (var (table, sql) in statements)
                if (tables.Contains((schema, table)))
                    batch.BatchCommands.Add(Command(sql.Replace("{0}", schema, StringComparison.Ordinal)));
        }
        await batch.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);

        // Each names its parameters' types by using all of them.
        NpgsqlBatchCommand Command(string sql) => new($"with known as (select $1::text, $2::text[], $3::bigint, $4::bigint[], $5::inet[]) {sql}")
        {
            Parameters =
            {
                new() { Value = subject }, new() { Value = logins.Lockouts }, new NpgsqlParameter<long> { TypedValue = indexed },
                new() { Value = logins.Sequences }, new() { Value = logins.Clients },
            },
        };
    }

    private static async Task<HashSet<(string Schema, string Table)>> TablesAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(
            "select relnamespace::regnamespace::text, relname::text from pg_class where relkind = 'r' and relnamespace::regnamespace::text = any($1)", connection, transaction)
        {
            Parameters = { new() { Value = Generations } },
        };
        var tables = new HashSet<(string, string)>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            tables.Add((row.GetString(0), row.GetString(1)));
        return tables;
    }
}
