using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// A decided batch as SQL: one round trip. Everything that can fail comes before the events, so that no position of the log is
/// drawn in vain (a gap makes Marten's daemon wait); positions are drawn in the order decided, under the streams' row locks.
/// </summary>
internal static class BatchWriter
{
    /// <summary>A stream stands at another version than the batch was decided on.</summary>
    public const string StreamConflict = "VC001";

    /// <summary>A content's digest (or number) is stored already.</summary>
    public const string ContentConflict = "VC002";

    private const string MoveStreams = $"""
        with moved as (
          update public.mt_streams s set version = w.version, timestamp = $6
          from unnest($1::varchar[], $2::uuid[], $3::bigint[], $4::bigint[]) as w (tenant_id, id, expected, version)
          where s.tenant_id = w.tenant_id and s.id = w.id and s.version = w.expected
          returning 1)
        select eventmail.require_rows($5, (select count(*) from moved), '{StreamConflict}')
        """;

    private const string HoldStreams = $"""
        with held as (
          select 1 from unnest($1::varchar[], $2::uuid[], $3::bigint[]) as w (tenant_id, id, expected)
          join public.mt_streams s on s.tenant_id = w.tenant_id and s.id = w.id and s.version = w.expected
          for share of s)
        select eventmail.require_rows($4, (select count(*) from held), '{StreamConflict}')
        """;

    private const string NewStreams = """
        insert into public.mt_streams (tenant_id, id, type, version, timestamp, created, is_archived)
        select w.tenant_id, w.id, w.type, w.version, $5, $5, false
        from unnest($1::varchar[], $2::uuid[], $3::varchar[], $4::bigint[]) as w (tenant_id, id, type, version)
        """;

    private const string NewContents = $"""
        with stored as (
          insert into eventmail.content (number, digest, size, data, created)
          select w.number, w.digest, w.size, w.data, $6
          from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bytea[]) as w (number, digest, size, data)
          on conflict do nothing
          returning 1)
        select eventmail.require_rows($5, (select count(*) from stored), '{ContentConflict}')
        """;

    private const string AddEvents = """
        with added as (
          insert into public.mt_events (
            seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type,
            correlation_id, causation_id, user_name, headers, is_archived)
          select nextval('public.mt_events_sequence'), w.id, w.stream_id, w.version, w.data, w.type, $11, w.tenant_id, w.dotnet_type,
            w.correlation_id, w.causation_id, w.user_name, w.headers, false
          from unnest($1::uuid[], $2::varchar[], $3::uuid[], $4::bigint[], $5::jsonb[], $6::varchar[],
            $7::varchar[], $8::varchar[], $9::varchar[], $10::jsonb[], $12::varchar[])
            as w (id, tenant_id, stream_id, version, data, type, correlation_id, causation_id, user_name, headers, dotnet_type)
          returning seq_id)
        """;

    private const string NewEvents = $"{AddEvents} select array_agg(seq_id) from added";

    private const string NewEventsNotifying = $"""
        {AddEvents}
        select array_agg(seq_id), pg_notify('{CommitNotice.Channel}', $13 || min(seq_id) || '-' || max(seq_id) || $14) from added
        """;

    /// <summary>Writes the batch and numbers its events. The batch is its own transaction unless one is open.</summary>
    public static async Task WriteAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, Batch batch, IReadOnlyList<IInlineProjection> inline,
        Guid? notifyAs, CancellationToken cancel)
    {
        await using var sql = new NpgsqlBatch(connection, transaction);
        if (notifyAs is not null)
            HoldRead(sql, batch);
        AddStreams(sql, batch);
        AddContents(sql, batch);
        foreach (var projection in inline)
            projection.Fold(batch.Commit, sql);
        if (batch.Events.Count > 0)
            AddEventRows(sql, batch, notifyAs);

        batch.Sent = true;
        await using var reader = await sql.ExecuteReaderAsync(cancel);
        long[] sequences = [];
        // The events' statement is the last; whatever the projections' statements answer is passed over.
        do
        {
            while (await reader.ReadAsync(cancel))
                if (batch.Events.Count > 0 && reader.GetFieldType(0) == typeof(Array))
                    sequences = reader.GetFieldValue<long[]>(0);
        }
        while (await reader.NextResultAsync(cancel));
        for (var i = 0; i < sequences.Length; i++)
            batch.Events[i].Event.Sequence = sequences[i];
    }

    private static void AddStreams(NpgsqlBatch sql, Batch batch)
    {
        var changed = batch.Changed().ToList();
        var moved = changed.FindAll(s => s.Committed.Version > 0);
        var added = changed.FindAll(s => s.Committed.Version == 0);
        if (moved.Count > 0)
            sql.BatchCommands.Add(new(MoveStreams)
            {
                Parameters =
                {
                    Array(moved, s => s.Key.Tenant), Array(moved, s => s.Key.Id), Array(moved, s => s.Committed.Version),
                    Array(moved, s => s.Current.Version), Value((long)moved.Count), Value(batch.Now.UtcDateTime),
                },
            });
        if (added.Count > 0)
            sql.BatchCommands.Add(new(NewStreams)
            {
                Parameters =
                {
                    Array(added, s => s.Key.Tenant), Array(added, s => s.Key.Id), Array(added, s => s.Kind.Name),
                    Array(added, s => s.Current.Version), Value(batch.Now.UtcDateTime),
                },
            });
    }

    // What was decided on must still be so at the commit, also for streams that were only read. A node that is alone knows that.
    private static void HoldRead(NpgsqlBatch sql, Batch batch)
    {
        var read = batch.Streams.Values.Where(s => s.Events.Count == 0 && s.Committed.Version > 0).OrderBy(s => s.Key.Id).ToList();
        if (read.Count > 0)
            sql.BatchCommands.Add(new(HoldStreams)
            {
                Parameters =
                {
                    Array(read, s => s.Key.Tenant), Array(read, s => s.Key.Id), Array(read, s => s.Committed.Version),
                    Value((long)read.Count),
                },
            });
    }

    private static void AddContents(NpgsqlBatch sql, Batch batch)
    {
        var contents = batch.Commit.Contents.Where(c => !c.Exists).ToList();
        if (contents.Count == 0)
            return;
        sql.BatchCommands.Add(new(NewContents)
        {
            Parameters =
            {
                Array(contents, c => c.Number), Array(contents, c => c.Digest), Array(contents, c => c.Size),
                Array(contents, c => c.Row), Value((long)contents.Count), Value(batch.Now.UtcDateTime),
            },
        });
    }

    private static void AddEventRows(NpgsqlBatch sql, Batch batch, Guid? notifyAs)
    {
        var events = batch.Events;
        var command = new NpgsqlBatchCommand(notifyAs is null ? NewEvents : NewEventsNotifying)
        {
            Parameters =
            {
                Array(events, e => e.Event.Id), Array(events, e => e.Event.Stream.Tenant), Array(events, e => e.Event.Stream.Id),
                Array(events, e => e.Event.Version), Json(events, e => e.Json), Array(events, e => e.Type.Alias),
                Array(events, e => e.Event.Metadata.CorrelationId), Array(events, e => e.Event.Metadata.CausationId),
                Array(events, e => e.Event.Metadata.UserName), Json(events, e => e.Event.Metadata.HeadersJson),
                Value(batch.Now.UtcDateTime), Array(events, e => e.Type.DotnetType),
            },
        };
        if (notifyAs is { } node)
        {
            var (before, after) = CommitNotice.Encode(node, batch.Commit.Changes);
            command.Parameters.Add(Value(before));
            command.Parameters.Add(Value(after));
        }
        sql.BatchCommands.Add(command);
    }

    private static NpgsqlParameter Value<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    private static NpgsqlParameter Array<T, TColumn>(List<T> rows, Func<T, TColumn> column) =>
        new NpgsqlParameter<TColumn[]> { TypedValue = Column(rows, column) };

    private static NpgsqlParameter Json<T, TColumn>(List<T> rows, Func<T, TColumn> column) => new NpgsqlParameter<TColumn[]>
    {
        TypedValue = Column(rows, column),
        NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Jsonb | NpgsqlTypes.NpgsqlDbType.Array,
    };

    private static TColumn[] Column<T, TColumn>(List<T> rows, Func<T, TColumn> column)
    {
        var values = new TColumn[rows.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = column(rows[i]);
        return values;
    }
}
