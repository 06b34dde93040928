using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>Reads the log. Thread-safe; each call uses connections of the pool for short statements.</summary>
public sealed class EventReader
{
    // Rows of one statement: short transactions hold back no vacuum and no HOT update.
    internal const int PageSize = 1000;
    private const string PageRows = "1000";

    // Positions that a filtered reading looks at in one statement.
    private const int Stretch = 5000;

    private readonly NpgsqlDataSource _source;
    private readonly EventDecoder _decoder;

    internal EventReader(NpgsqlDataSource source, EventDecoder decoder) => (_source, _decoder) = (source, decoder);

    internal EventDecoder Decoder => _decoder;

    internal SafePosition Safe { get; } = new();

    /// <summary>Told of each row that is met and cannot be read.</summary>
    internal Action<UnreadableRow> Damaged { get; init; } = _ => { };

    /// <summary>Told of the transaction behind which a reading waits; null: none can be seen.</summary>
    internal Action<OpenTransaction?> HeldUp { get; init; } = _ => { };

    /// <summary>A stream's events in order. <paramref name="toVersion"/> is inclusive; null reads to the end.</summary>
    /// <param name="types">Only rows of these aliases, and of older ones that are read as their events: whole, with whatever else such a row is.</param>
    public async IAsyncEnumerable<StoredEvent> ReadStreamAsync(
        StreamKey key, long fromVersion = 1, long? toVersion = null, string[]? types = null, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        const string sql = $"""
            select {EventRow.Columns} from public.mt_events e
            where e.tenant_id = $1 and e.stream_id = $2 and e.version between $3 and $4 and not e.is_archived
              and ($5::varchar[] is null or e.type = any($5))
            order by e.version limit {PageRows}
            """;
        var end = toVersion ?? long.MaxValue;
        while (true)
        {
            var page = await PageAsync(
                sql, Opening.All,
                [
                    new() { Value = key.Tenant }, new() { Value = key.Id }, Long(fromVersion), Long(end),
                    new() { Value = types is null ? DBNull.Value : _decoder.Types.StoredAs(types), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Varchar },
                ],
                cancel);
            foreach (var e in page)
                yield return e.Data is UnreadableEvent ? throw new UnreadableEventException("stream", e) : e;
            if (page.Count < PageSize)
                yield break;
            fromVersion = page[^1].Version + 1;
        }
    }

    /// <summary>A stream's events from one version to another, with no more of them than folds need: no metadata, and few texts.</summary>
    public async IAsyncEnumerable<StoredEvent> ReadForFoldAsync(
        StreamKey key, long fromVersion, long toVersion, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        const string sql = $"""
            select {EventRow.FoldColumns} from public.mt_events e
            where e.tenant_id = $1 and e.stream_id = $2 and e.version between $3 and $4 and not e.is_archived
            order by e.version limit {PageRows}
            """;
        while (fromVersion <= toVersion)
        {
            var page = await PageAsync(sql, Opening.Slices, [new() { Value = key.Tenant }, new() { Value = key.Id }, Long(fromVersion), Long(toVersion)], cancel);
            foreach (var e in page)
                yield return e.Data is UnreadableEvent ? throw new UnreadableEventException("stream", e) : e;
            if (page.Count < PageSize)
                yield break;
            fromVersion = page[^1].Version + 1;
        }
    }

    /// <summary>
    /// All events after a position that were committed before the call, in log order and without gaps: an event is told only when
    /// every transaction that could still commit a lower position has ended. A slow one delays, and loses nothing.
    /// Call again from the last Sequence for more.
    /// </summary>
    public async IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterSequence, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var wait = new EndWait(_source, HeldUp);
        for (long? target = null; ; await wait.WaitAsync(cancel))
        {
            var (safe, last) = await AdvanceAsync(cancel);
            target ??= last;
            var end = Math.Min(safe, target.Value);
            await foreach (var e in ReadBetweenAsync(afterSequence, end, cancel))
                yield return e;
            afterSequence = Math.Max(afterSequence, end);
            if (safe >= target)
                yield break;
        }
    }

    /// <summary>
    /// The log's end: whatever was committed before the call stands at or below this position, and nothing will appear there any
    /// more. Waits for transactions that could still commit there.
    /// </summary>
    public async Task<long> EndAsync(CancellationToken cancel = default)
    {
        var wait = new EndWait(_source, HeldUp);
        for (long? target = null; ; await wait.WaitAsync(cancel))
        {
            var (safe, last) = await AdvanceAsync(cancel);
            target ??= last;
            if (safe >= target)
                return target.Value;
        }
    }

    /// <summary>The events with positions above the one and up to the other, which must be safe (<see cref="EndAsync"/>).</summary>
    public async IAsyncEnumerable<StoredEvent> ReadBetweenAsync(
        long afterSequence, long toSequence, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        while (afterSequence < toSequence)
        {
            var page = await ReadPageAsync(afterSequence, toSequence, cancel);
            foreach (var e in page)
                yield return e;
            afterSequence = page.Count < PageSize ? toSequence : page[^1].Sequence;
        }
    }

    /// <summary>Up to where the log is complete, and its end.</summary>
    internal async Task<(long Safe, long Last)> AdvanceAsync(CancellationToken cancel)
    {
        await using var connection = await _source.OpenConnectionAsync(cancel);
        return await Safe.AdvanceAsync(connection, cancel);
    }

    /// <summary>At most a page of the events with positions above the one and up to the other.</summary>
    internal Task<List<StoredEvent>> ReadPageAsync(long afterSequence, long toSequence, CancellationToken cancel) =>
        PageAsync(
            $"""
            select {EventRow.Columns} from public.mt_events e
            where e.seq_id > $1 and e.seq_id <= $2 and not e.is_archived order by e.seq_id limit {PageRows}
            """,
            Opening.All, [Long(afterSequence), Long(toSequence)], cancel);

    /// <summary>The events that match a filter, in log order; unknown types come as <see cref="UnknownEvent"/>. Goes through all of the log behind the position.</summary>
    public async IAsyncEnumerable<StoredEvent> ReadHistoryAsync(EventFilter filter, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        // A stretch of positions at a time: no index serves a tenant's or a type's events in log order, and how the log is walked must
        // not be the planner's choice to make.
        var end = await EndAsync(cancel);
        for (var from = filter.AfterSequence; from < end; from += Stretch)
        {
            foreach (var e in await ReadStretchAsync(from, Math.Min(end, from + Stretch), filter, cancel))
                yield return e;
        }
    }

    /// <summary>Those of the events above a position and up to another that match a filter. Few: they are read at once.</summary>
    public Task<List<StoredEvent>> ReadStretchAsync(long afterSequence, long toSequence, EventFilter filter, CancellationToken cancel)
    {
        var (sql, parameters) = FilteredSql(filter, "e.seq_id > $1 and e.seq_id <= $2", [Long(afterSequence), Long(toSequence)]);
        return PageAsync(sql, Opening.All, parameters, cancel);
    }

    /// <summary>Those of the events at given positions, in log order, that match a filter.</summary>
    /// <param name="positions">At most a page of them: they are read at once.</param>
    public Task<List<StoredEvent>> ReadPositionsAsync(long[] positions, EventFilter filter, CancellationToken cancel)
    {
        var (sql, parameters) = FilteredSql(filter, "e.seq_id = any($1)", [new NpgsqlParameter<long[]> { TypedValue = positions }]);
        return PageAsync(sql, Opening.All, parameters, cancel);
    }

    private (string Sql, NpgsqlParameter[] Parameters) FilteredSql(EventFilter filter, string which, List<NpgsqlParameter> parameters)
    {
        var where = new List<string> { which, "not e.is_archived" };
        string Parameter(object value)
        {
            parameters.Add(new() { Value = value });
            return $"${parameters.Count}";
        }
        if (filter.Tenant is { } tenant)
            where.Add($"e.tenant_id = {Parameter(tenant)}");
        if (filter.Streams is { } streams)
            where.Add($"""
                (e.tenant_id, e.stream_id) in (select * from unnest(
                {Parameter(streams.Select(s => s.Tenant).ToArray())}, {Parameter(streams.Select(s => s.Id).ToArray())}))
                """);
        if (filter.Types is { } types)
            where.Add($"e.type = any({Parameter(_decoder.Types.StoredAs(types))})");
        if (filter.Since is { } since)
            where.Add($"e.timestamp >= {Parameter(since.ToUniversalTime())}");
        if (filter.Until is { } until)
            where.Add($"e.timestamp < {Parameter(until.ToUniversalTime())}");
        return ($"select {EventRow.Columns} from public.mt_events e where {string.Join(" and ", where)} order by e.seq_id", [.. parameters]);
    }

    /// <summary>Reads whole streams in one statement and folds them; streams without events are left out.</summary>
    public async Task<IReadOnlyDictionary<StreamKey, LoadedState>> FoldAsync(
        StreamKind kind, NpgsqlConnection connection, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
    {
        var states = new Dictionary<StreamKey, LoadedState>(keys.Count);
        await foreach (var e in ReadTailsAsync(connection, keys, new long[keys.Count], cancel))
        {
            var from = states.TryGetValue(e.Stream, out var state) ? state : new(kind.Empty(e.Stream), 0);
            states[e.Stream] = FoldOrTell(kind, from, e);
        }
        return states;
    }

    /// <summary>
    /// Folds the events above a state's version (up to <paramref name="toVersion"/>, inclusive; null: all) into it: how a state that
    /// a snapshot or segments hold is brought up to date.
    /// </summary>
    public async Task<LoadedState> FoldTailAsync(
        StreamKind kind, NpgsqlConnection connection, StreamKey key, LoadedState from, long? toVersion, CancellationToken cancel)
    {
        await foreach (var e in ReadTailsAsync(connection, [key], [from.Version], cancel))
        {
            if (e.Version > toVersion)
                break;
            from = FoldOrTell(kind, from, e);
        }
        return from;
    }

    // What cannot be read is told where it is read; a type that is not known is one only in streams of ours.
    private LoadedState FoldOrTell(StreamKind kind, LoadedState from, StoredEvent e)
    {
        try
        {
            return Fold(kind, from, e);
        }
        catch (UnknownEventException unknown)
        {
            Damaged(unknown.Row);
            throw;
        }
    }

    private StoredEvent Read(in EventRecord record, Opening opening)
    {
        var e = _decoder.Read(record, opening);
        if (e.Data is UnreadableEvent unreadable)
            Damaged(UnreadableRow.Of(e, unreadable.Error));
        return e;
    }

    /// <summary>
    /// The events of streams above given versions, as of one snapshot, each stream's in order. For states and their followers: of what is sealed,
    /// only what folds need is opened.
    /// </summary>
    internal async IAsyncEnumerable<StoredEvent> ReadTailsAsync(
        NpgsqlConnection connection, IReadOnlyList<StreamKey> keys, long[] above, [EnumeratorCancellation] CancellationToken cancel)
    {
        const string sql = $"""
            select {EventRow.Columns}
            from unnest($1::varchar[], $2::uuid[], $3::bigint[]) with ordinality as s (tenant_id, id, version, n)
            cross join lateral (
              select * from public.mt_events e
              where e.tenant_id = s.tenant_id and e.stream_id = s.id and e.version > s.version and not e.is_archived
              order by e.version) e
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new() { Value = keys.Select(k => k.Tenant).ToArray() },
                new() { Value = keys.Select(k => k.Id).ToArray() },
                new() { Value = above },
            },
        };
        var behind = new List<EventRecord>();
        var lacking = new HashSet<string>(StringComparer.Ordinal);
        await using (var reader = await command.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel))
            {
                var record = EventRow.Read(reader);
                if (_decoder.Lacks(record, Opening.ForFolds) is { } subject)
                    lacking.Add(subject);
                if (lacking.Count > 0)
                    behind.Add(record);
                else
                    foreach (var e in SplitEvent.Of(Read(record, Opening.ForFolds)))
                        yield return e;
            }
        if (lacking.Count > 0)
            await _decoder.Keys.LoadAsync(connection, null, lacking, cancel);
        foreach (var record in behind)
            foreach (var e in SplitEvent.Of(Read(record, Opening.ForFolds)))
                yield return e;
    }

    /// <summary>One event further.</summary>
    /// <exception cref="UnknownEventException">The event's type is unknown and its stream's kind does not ignore it.</exception>
    internal static LoadedState Fold(StreamKind kind, LoadedState from, StoredEvent e) =>
        new(Evolve(kind, from.State, e), e.Version) { Last = LastEvent.Of(e) };

    /// <summary>A state one event further.</summary>
    /// <exception cref="UnknownEventException">The event's type is unknown and its stream's kind does not ignore it.</exception>
    internal static object Evolve(StreamKind kind, object state, StoredEvent e) => e.Data switch
    {
        UnreadableEvent => throw new UnreadableEventException(kind.Name, e),
        UnknownEvent => kind.Ignores(e.Type) ? state : throw new UnknownEventException(kind.Name, e),
        _ => kind.Evolve(state, e),
    };

    // Whole rows: one that is read as several events makes the page longer.
    private async Task<List<StoredEvent>> PageAsync(string sql, Opening opening, NpgsqlParameter[] parameters, CancellationToken cancel)
    {
        await using var command = _source.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        var page = new List<StoredEvent>();
        var waiting = new List<(int At, EventRecord Record)>();
        var lacking = new HashSet<string>(StringComparer.Ordinal);
        await using (var reader = await command.ExecuteReaderAsync(cancel))
            while (await reader.ReadAsync(cancel))
            {
                var record = EventRow.Read(reader);
                if (_decoder.Lacks(record, opening) is { } subject)
                {
                    lacking.Add(subject);
                    waiting.Add((page.Count, record));
                    page.Add(null!);
                }
                else
                    page.Add(Read(record, opening));
            }
        if (lacking.Count > 0)
            await _decoder.Keys.LoadAsync(lacking, cancel);
        foreach (var (at, record) in waiting)
            page[at] = Read(record, opening);
        if (page.Exists(e => e.Data is SplitEvent))
            page = [.. page.SelectMany(SplitEvent.Of)];
        return page;
    }

    private static NpgsqlParameter Long(long value) => new NpgsqlParameter<long> { TypedValue = value };
}
