using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Makes what has come of a tenant part of the log, in one transaction: its events get positions in the order that they had, keep everything else,
/// and move the inline read models as their commits once did. Added to until it is committed; a crash leaves nothing of it.
/// </summary>
public sealed class TenantArrival : IAsyncDisposable
{
    private const int PageEvents = 5000;

    /// <summary>Streams whose states stay in memory.</summary>
    private const int MaxStates = 20_000;

    private readonly EventLog _target;
    private readonly string _tenant;
    private readonly IReadOnlyList<IInlineProjection> _models;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly StreamStates _states;
    private bool _committed;
    private long _added;
    private long _first = long.MaxValue;
    private long _last;

    private TenantArrival(
        EventLog target, string tenant, IReadOnlyCollection<StreamKind> kinds, IReadOnlyList<IInlineProjection> models, NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (_target, _tenant, _models, _connection, _transaction, _states) = (
            target, tenant, models, connection, transaction, new(
                connection, target.Reader, kinds.ToDictionary(kind => kind.Name), kinds.Select(kind => kind.HeaderTable).OfType<string>().ToHashSet(), MaxStates));

    public static async Task<TenantArrival> BeginAsync(
        EventLog target, string tenant, IReadOnlyCollection<StreamKind> kinds, IReadOnlyList<IInlineProjection> models, CancellationToken cancel)
    {
        var connection = await target.Sessions.OpenConnectionAsync(cancel);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancel);
            var arrival = new TenantArrival(target, tenant, kinds, models, connection, transaction);
            // What is changed over now would not know of these rows: whoever does so waits for this lock.
            await arrival.ExecuteAsync("lock table public.mt_streams in row exclusive mode", cancel);
            await ReadModelCatalog.RequireAsync(connection, models, cancel);
            return arrival;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>The key of the tenant's personal fields, wrapped for this database; before what it seals is added.</summary>
    /// <exception cref="SubjectKeyUnusableException">One of the two cannot be used.</exception>
    public async Task BringKeyAsync(EventLog source, CancellationToken cancel)
    {
        if (await source.Subjects.WrapForAsync(_target.Subjects, _tenant, cancel) is not var (key, wrapped))
            return;
        await ExecuteAsync(
            $"""
            insert into eventmail.subject_key (subject, kek, key) select $1, $2, $3 where {WrappedKeyTables.IsNotRetired("$2")}
            on conflict (subject) do nothing returning pg_notify('{SubjectKeys.Channel}', '{SubjectKeys.Made}' || subject)
            """, cancel, _tenant, wrapped.WrappingKey, wrapped.Octets);
        _target.Subjects.Remember(_tenant, key); // this transaction alone sees the row
    }

    /// <summary>What has come up to a position of the source's log.</summary>
    public async Task AddAsync(long to, Action<long> added, CancellationToken cancel)
    {
        // New streams, and those that were here when the tenant was here before.
        await ExecuteAsync(
            """
            insert into public.mt_streams (tenant_id, id, type, version, timestamp, created, is_archived)
            select tenant_id, id, type, 0, created, created, is_archived from eventmail.arriving_stream where tenant_id = $1
            on conflict (tenant_id, id) do nothing
            """, cancel, _tenant);
        await ExecuteAsync(
            """
            update public.mt_streams s set version = e.version, timestamp = e.timestamp
            from (select stream_id, max(version) as version, max(timestamp) as timestamp from eventmail.arriving_event
              where tenant_id = $1 and seq_id > $2 and seq_id <= $3 group by stream_id) e
            where s.tenant_id = $1 and s.id = e.stream_id
            """, cancel, _tenant, _added, to);
        await NumberAsync(to, cancel);
        while (await PageAsync(to, cancel) is { Count: > 0 } page)
        {
            await FoldAsync(page, cancel);
            _added = page[^1].Sequence;
            added(_added);
        }
        _added = to;
        // Here and not at the end, which the tenant's writers wait for.
        await ExecuteAsync("delete from eventmail.arriving_event where tenant_id = $1 and seq_id <= $2", cancel, _tenant, to);
        await ExecuteAsync("delete from eventmail.arriving_stream where tenant_id = $1", cancel, _tenant);
    }

    /// <summary>From here on the tenant is here.</summary>
    public async Task CommitAsync(CancellationToken cancel)
    {
        await ExecuteAsync("delete from eventmail.arriving_content where tenant_id = $1", cancel, _tenant);
        await ExecuteAsync("delete from eventmail.arrival where tenant_id = $1", cancel, _tenant);
        // Of one that went and comes back. A committer looks again before it refuses.
        await ExecuteAsync("delete from eventmail.read_only_tenant where tenant_id = $1", cancel, _tenant);
        // The other nodes find the streams by their positions.
        await ExecuteAsync("select pg_notify($1, $2)", cancel, CommitNotice.Channel, $"{_target.Executor.Node:n}|{_first}-{_last}|*");
        await _transaction.CommitAsync(cancel);
        _committed = true;
    }

    private async Task NumberAsync(long to, CancellationToken cancel)
    {
        const string columns =
            "id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, user_name, headers, is_archived";
        await using var command = new NpgsqlCommand(
            $"""
            with added as (
              insert into public.mt_events (seq_id, {columns})
              select nextval('public.mt_events_sequence'), {columns} from (
                select {columns} from eventmail.arriving_event where tenant_id = $1 and seq_id > $2 and seq_id <= $3 order by seq_id) arrived
              returning seq_id)
            select min(seq_id), max(seq_id) from added
            """, _connection, _transaction)
        {
            Parameters = { new() { Value = _tenant }, new() { Value = _added }, new() { Value = to } },
            CommandTimeout = 0,
        };
        await using var row = await command.ExecuteReaderAsync(cancel);
        await row.ReadAsync(cancel);
        if (!row.IsDBNull(0))
            (_first, _last) = (Math.Min(_first, row.GetInt64(0)), Math.Max(_last, row.GetInt64(1)));
    }

    private async Task<List<StoredEvent>> PageAsync(long to, CancellationToken cancel)
    {
        const string sql = $"""
            select {EventRow.Columns} from eventmail.arriving_event e
            where e.tenant_id = $1 and e.seq_id > $2 and e.seq_id <= $3 and not e.is_archived order by e.seq_id limit $4
            """;
        await using var command = new NpgsqlCommand(sql, _connection, _transaction)
        {
            Parameters = { new() { Value = _tenant }, new() { Value = _added }, new() { Value = to }, new() { Value = (long)PageEvents } },
        };
        var page = new List<StoredEvent>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            page.AddRange(SplitEvent.Of(_target.Reader.Decoder.Read(EventRow.Read(row), Opening.ForFolds)));
        return page;
    }

    private async Task FoldAsync(List<StoredEvent> page, CancellationToken cancel)
    {
        var first = new Dictionary<StreamKey, long>();
        foreach (var e in page)
            first.TryAdd(e.Stream, e.Version);
        await _states.PrepareAsync(first, () => Task.CompletedTask, cancel);
        var moves = new Dictionary<StreamKey, (StreamStates.Entry Before, List<StoredEvent> Events)>();
        foreach (var e in page)
        {
            var before = _states.Get(e.Stream);
            if (before.Kind is null)
                continue;
            var after = StreamStates.Fold(before, e);
            if (after.Fault is { } fault)
                throw new TenantMoveException($"Event {e.Version} of stream {e.Stream.Id} cannot be read ({fault}): audit the source first.");
            _states.Set(e.Stream, after);
            if (!moves.TryGetValue(e.Stream, out var move))
                moves[e.Stream] = move = (before, []);
            move.Events.Add(e);
        }
        if (moves.Count == 0)
            return;
        var changes = moves.Values.OrderBy(move => move.Events[^1].Sequence).Select(move => new StreamChange(
            move.Before.Kind!, move.Events[0].Stream, move.Before.State, _states.Get(move.Events[0].Stream).State,
            move.Events[0].Version, move.Events[^1].Version, move.Events)).ToList();
        await using var sql = new NpgsqlBatch(_connection, _transaction) { Timeout = 0 };
        var batch = new CommitBatch(changes, [], Remote: false) { Building = true };
        foreach (var model in _models)
            model.Fold(batch, sql);
        if (sql.BatchCommands.Count > 0)
            await sql.ExecuteNonQueryAsync(cancel);
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancel, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, _connection, _transaction) { CommandTimeout = 0 };
        foreach (var parameter in parameters)
            command.Parameters.Add(new() { Value = parameter });
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>What is not committed is undone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_committed)
            _target.Subjects.Unlearn(_tenant);
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
