using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Who has which row of the queue for how long. Leases are no part of the log: they keep hosts from getting into each other's way, and
/// whoever is late is turned away when it begins. Thread-safe.
/// </summary>
internal sealed class DeliveryQueue(NpgsqlDataSource source, Guid node)
{
    private const string Mine = "update delivery_queue set";
    private const string WhereMine = "where id = $1 and domain = $2 and owner = $3";

    // A lease that the server's last moments take with them does no harm, and the log is another matter.
    private const string NotWaitedFor = "select set_config('synchronous_commit', 'off', true)";

    // A process that lives has one of these connections, or gets it back within moments (EventStore's NodeLink, CommitterConnection).
    private const string Owners = """
        select distinct q.owner, exists (
          select from pg_stat_activity a where a.datname = current_database() and a.application_name like 'eventmail % ' || replace(q.owner::text, '-', ''))
        from delivery_queue q where q.owner is not null
        """;

    // Rows that become due together are made ready by so many at a time.
    private const int MadeReady = 1000;

    // Where the domains that take turns go on.
    private volatile string _turn = "";

    /// <summary>Takes rows that are due.</summary>
    /// <returns>Them, and when it should be looked again: when the next one wakes, or now when more were due than could be made ready.</returns>
    public async Task<(List<(StreamKey Stream, string Domain)> Rows, DateTimeOffset? Next)> ClaimAsync(
        ClaimRequest request, DateTimeOffset now, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(NotWaitedFor),
                new("select ready_deliveries($1, $2)")
                {
                    Parameters = { Time(now), new NpgsqlParameter<int> { TypedValue = MadeReady } },
                },
                new("select tenant_id, id, domain from claim_deliveries($1, $2, $3, $4, $5, $6, $7)")
                {
                    Parameters =
                    {
                        Time(now), Time(now + request.Lease), new NpgsqlParameter<Guid> { TypedValue = node },
                        new() { Value = request.Busy.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar },
                        new NpgsqlParameter<int> { TypedValue = request.Limit },
                        new() { Value = (object?)request.Domain ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Varchar },
                        Text(_turn),
                    },
                },
                new("select next_delivery($1)") { Parameters = { Time(now) } },
            },
        };
        var rows = new List<(StreamKey Stream, string Domain)>();
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        var mayBeMore = reader.GetInt32(0) == MadeReady;
        await reader.NextResultAsync(cancel);
        while (await reader.ReadAsync(cancel))
            rows.Add((new(reader.GetString(0), reader.GetGuid(1)), reader.GetString(2)));
        if (rows.Count > 0)
            _turn = rows[^1].Domain;
        if (mayBeMore)
            return (rows, now);
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        return (rows, reader.IsDBNull(0) ? null : new DateTimeOffset(reader.GetDateTime(0)));
    }

    /// <summary>False when it is no longer ours.</summary>
    public async Task<bool> RenewAsync(QueuedDelivery row, DateTimeOffset until, CancellationToken cancel) =>
        await RunAsync($"{Mine} lease = $4 {WhereMine}", cancel, [.. Key(row.Stream, row.Domain), Time(until)]) > 0;

    /// <summary>Gives rows back that nothing was done with, those of them that are still ours.</summary>
    public Task ReturnAsync(IReadOnlyCollection<(StreamKey Stream, string Domain)> rows, CancellationToken cancel) => RunAsync(
        $"""
        {Mine} owner = null, lease = null from unnest($1, $2) as w (of, at) where id = w.of and domain = w.at and owner = $3
        """,
        cancel, new NpgsqlParameter<Guid[]> { TypedValue = [.. rows.Select(row => row.Stream.Id)] },
        new() { Value = rows.Select(row => row.Domain).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar },
        new NpgsqlParameter<Guid> { TypedValue = node });

    /// <summary>
    /// Puts a row of ours aside until its account is resumed (<see cref="LetGo"/>). Whoever resumes it at this moment is waited for.
    /// </summary>
    /// <returns>False when the account is not suspended after all.</returns>
    public async Task<bool> PutAsideAsync(StreamKey stream, string domain, CancellationToken cancel) => await RunAsync(
        $"""
        with stopped as materialized (select from account where account = $4 and suspended for share)
        {Mine} owner = null, lease = 'infinity' {WhereMine} and exists (select from stopped)
        """,
        cancel, [.. Key(stream, domain), Text(stream.Tenant)]) > 0;

    /// <summary>What was put aside for these accounts is due again: in the transaction of what resumes or closes them.</summary>
    public static NpgsqlBatchCommand LetGo(string[] accounts) => new($"{Mine} lease = null where tenant_id = any($1) and lease = 'infinity'")
    {
        Parameters = { new() { Value = accounts, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Varchar } },
    };

    /// <summary>The nodes that have claimed something, and whether they are there.</summary>
    public async Task<List<(Guid Node, bool IsThere)>> OwnersAsync(CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Owners);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var owners = new List<(Guid, bool)>();
        while (await reader.ReadAsync(cancel))
            owners.Add((reader.GetGuid(0), reader.GetBoolean(1)));
        return owners;
    }

    /// <summary>Rows that are held, and that whoever claimed them has had for longer than its lease, or died with.</summary>
    public async Task<List<(StreamKey Stream, string Domain)>> AbandonedHeldAsync(
        IReadOnlyCollection<Guid> dead, DateTimeOffset now, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(
            """
            select tenant_id, id, domain from delivery_queue
            where owner is not null and held and (lease <= $1 or owner = any($2))
            """);
        command.Parameters.Add(Time(now));
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. dead] });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<(StreamKey, string)>();
        while (await reader.ReadAsync(cancel))
            rows.Add((new(reader.GetString(0), reader.GetGuid(1)), reader.GetString(2)));
        return rows;
    }

    /// <summary>Frees what a node had claimed.</summary>
    /// <returns>How many rows.</returns>
    public Task<int> FreeAsync(Guid dead, CancellationToken cancel) => RunAsync(
        $"{Mine} owner = null, lease = null where owner = $1", cancel, new NpgsqlParameter<Guid> { TypedValue = dead });

    private NpgsqlParameter[] Key(StreamKey stream, string domain) =>
        [new NpgsqlParameter<Guid> { TypedValue = stream.Id }, Text(domain), new NpgsqlParameter<Guid> { TypedValue = node }];

    private static NpgsqlParameter Text(string text) => new() { Value = text, NpgsqlDbType = NpgsqlDbType.Varchar };

    private static NpgsqlParameter<DateTime> Time(DateTimeOffset time) => new() { TypedValue = time.UtcDateTime };

    private async Task<int> RunAsync(string sql, CancellationToken cancel, params NpgsqlParameter[] parameters)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        var change = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
            change.Parameters.Add(parameter);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new(NotWaitedFor), change },
        };
        await batch.ExecuteNonQueryAsync(cancel);
        return change.RecordsAffected;
    }
}
