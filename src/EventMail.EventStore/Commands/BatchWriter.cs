using Npgsql;
using NpgsqlTypes;
using static EventMail.EventStore.RowsStatement;

namespace EventMail.EventStore;

/// <summary>
/// A decided batch as SQL: one round trip. Everything that can fail comes before the events, so that no position of the log is
/// drawn in vain (a gap makes Marten's daemon wait); positions are drawn in the order decided, under the streams' row locks.
/// </summary>
internal static class BatchWriter
{
    /// <summary>A stream stands at another version than the batch was decided on.</summary>
    public const string StreamConflict = "VC001";

    /// <summary>A content's digest (or number) is stored already, or its wrapping key is retired; or one that was stored is not any more.</summary>
    public const string ContentConflict = "VC002";

    /// <summary>A subject has a key already: another node made it meanwhile. Or its wrapping key is retired.</summary>
    public const string SubjectConflict = "VC004";

    /// <summary>A <see cref="CommitTerm"/> does not hold: raised by the inline projection that keeps what it is about.</summary>
    public const string TermConflict = "VC003";

    private static readonly (string, string)[] VersionColumns = [("tenant_id", "varchar"), ("id", "uuid"), ("expected", "bigint")];

    private static readonly RowsStatement MoveStreams = new(
        $"""
        with moved as (
          update public.mt_streams s set version = w.version, timestamp = w.timestamp
          from {RowsStatement.Rows}
          where s.tenant_id = w.tenant_id and s.id = w.id and s.version = w.expected
          returning 1)
        select eventmail.require_rows($6, (select count(*) from moved), '{StreamConflict}')
        """,
        [.. VersionColumns, ("version", "bigint"), ("timestamp", "timestamptz")]);

    private static readonly RowsStatement HoldStreams = new(
        $"""
        with held as (
          select 1 from {RowsStatement.Rows}
          join public.mt_streams s on s.tenant_id = w.tenant_id and s.id = w.id and s.version = w.expected
          for share of s)
        select eventmail.require_rows($4, (select count(*) from held), '{StreamConflict}')
        """,
        VersionColumns);

    private static readonly RowsStatement NewStreams = new(
        $"""
        insert into public.mt_streams (tenant_id, id, type, version, timestamp, created, is_archived)
        select w.tenant_id, w.id, w.type, w.version, $5, $5, false from {RowsStatement.Rows}
        """,
        ("tenant_id", "varchar"), ("id", "uuid"), ("type", "varchar"), ("version", "bigint"));

    private static readonly RowsStatement NewContents = new(
        $"""
        with stored as (
          insert into eventmail.content (number, digest, size, data, created, kek, key)
          select w.number, w.digest, w.size, w.data, $8, w.kek, w.key from {RowsStatement.Rows}
          where {WrappedKeyTables.IsNotRetired("w.kek")}
          on conflict do nothing
          returning 1)
        select eventmail.require_rows($7, (select count(*) from stored), '{ContentConflict}')
        """,
        ("number", "bigint"), ("digest", "bytea"), ("size", "bigint"), ("data", "bytea"), ("kek", "bigint"), ("key", "bytea"));

    private const string ContentLock = "hashtext('eventmail.content'), 1";

    // Commands that hold contents wait for one that releases some, and it for them.
    private const string LockHeld = $"select pg_advisory_xact_lock_shared({ContentLock})";
    private const string LockReleased = $"select pg_advisory_xact_lock({ContentLock})";
    private const string Release = "delete from eventmail.content where number = any($1)";
    private const string Hold =
        $"select eventmail.require_rows($2, (select count(*) from eventmail.content where number = any($1)), '{ContentConflict}')";

    private static readonly RowsStatement NewSubjectKeys = new(
        $"""
        with stored as (
          insert into eventmail.subject_key (subject, kek, key)
          select w.subject, w.kek, w.key from {RowsStatement.Rows}
          where {WrappedKeyTables.IsNotRetired("w.kek")}
          on conflict do nothing
          returning pg_notify('{EventStore.SubjectKeys.Channel}', '{EventStore.SubjectKeys.Made}' || subject))
        select eventmail.require_rows($4, (select count(*) from stored), '{SubjectConflict}')
        """,
        ("subject", "varchar"), ("kek", "bigint"), ("key", "bytea"));

    private const string AddEvents = $"""
        with added as (
          insert into public.mt_events (
            seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type,
            correlation_id, causation_id, user_name, headers, is_archived)
          select nextval('public.mt_events_sequence'), w.id, w.stream_id, w.version, w.data, w.type, w.timestamp, w.tenant_id, w.dotnet_type,
            w.correlation_id, w.causation_id, w.user_name, w.headers, false
          from {RowsStatement.Rows}
          returning seq_id)
        """;

    private static readonly (string, string)[] EventColumns =
    [
        ("id", "uuid"), ("tenant_id", "varchar"), ("stream_id", "uuid"), ("version", "bigint"), ("data", "jsonb"), ("type", "varchar"),
        ("correlation_id", "varchar"), ("causation_id", "varchar"), ("user_name", "varchar"), ("headers", "jsonb"),
        ("dotnet_type", "varchar"), ("timestamp", "timestamptz"),
    ];

    private static readonly RowsStatement NewEvents = new($"{AddEvents} select array_agg(seq_id) from added", EventColumns);

    private static readonly RowsStatement NewEventsNotifying = new(
        $"""
        {AddEvents}
        select array_agg(seq_id), pg_notify('{CommitNotice.Channel}', $13 || min(seq_id) || '-' || max(seq_id) || $14) from added
        """,
        EventColumns);

    /// <summary>Writes the batch and numbers its events. The batch is its own transaction unless one is open.</summary>
    public static async Task WriteAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, Batch batch, IReadOnlyList<IInlineProjection> inline,
        Guid? notifyAs, CancellationToken cancel)
    {
        await using var sql = new NpgsqlBatch(connection, transaction);
        if (notifyAs is not null)
            HoldRead(sql, batch);
        AddStreams(sql, batch);
        ReleaseAndHold(sql, batch);
        AddContents(sql, batch);
        AddSubjectKeys(sql, batch);
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
            sql.BatchCommands.Add(MoveStreams.For(
                moved.Count, Column(moved, s => s.Key.Tenant), Column(moved, s => s.Key.Id), Column(moved, s => s.Committed.Version),
                Column(moved, s => s.Current.Version), Column(moved, s => s.Current.Last.Time.UtcDateTime), Value((long)moved.Count)));
        if (added.Count > 0)
            sql.BatchCommands.Add(NewStreams.For(
                added.Count, Column(added, s => s.Key.Tenant), Column(added, s => s.Key.Id), Column(added, s => s.Kind.Name),
                Column(added, s => s.Current.Version), Value(batch.Now.UtcDateTime)));
    }

    // What was decided on must still be so at the commit, also for streams that were only read. A node that is alone knows that.
    private static void HoldRead(NpgsqlBatch sql, Batch batch)
    {
        var read = batch.Streams.Values.Where(s => s.Events.Count == 0 && s.Committed.Version > 0).OrderBy(s => s.Key.Id).ToList();
        if (read.Count > 0)
            sql.BatchCommands.Add(HoldStreams.For(
                read.Count, Column(read, s => s.Key.Tenant), Column(read, s => s.Key.Id), Column(read, s => s.Committed.Version),
                Value((long)read.Count)));
    }

    // Statements of their own: each sees what was committed while the one before it waited. What is held is looked for behind the releases of the
    // same batch.
    private static void ReleaseAndHold(NpgsqlBatch sql, Batch batch)
    {
        var held = batch.Held.Concat(batch.Commit.Contents.Where(c => c.Exists).Select(c => c.Number)).Distinct().ToArray();
        if (held.Length == 0 && batch.Released.Count == 0)
            return;
        sql.BatchCommands.Add(new(batch.Released.Count > 0 ? LockReleased : LockHeld));
        if (batch.Released.Count > 0)
            sql.BatchCommands.Add(new(Release) { Parameters = { Value(batch.Released.ToArray()) } });
        foreach (var guard in batch.Guards)
            sql.BatchCommands.Add(guard);
        if (held.Length > 0)
            sql.BatchCommands.Add(new(Hold) { Parameters = { Value(held), Value((long)held.Length) } });
    }

    private static void AddContents(NpgsqlBatch sql, Batch batch)
    {
        var contents = batch.Commit.Contents.Where(c => !c.Exists).ToList();
        if (contents.Count > 0)
            sql.BatchCommands.Add(NewContents.For(
                contents.Count, Column(contents, c => c.Number), Column(contents, c => c.Digest), Column(contents, c => c.Size),
                Column(contents, c => c.Row), Column(contents, c => c.Key?.WrappingKey), Column(contents, c => c.Key?.Octets),
                Value((long)contents.Count), Value(batch.Now.UtcDateTime)));
    }

    // In the order in which every node makes them: two wait for each other in vain otherwise.
    private static void AddSubjectKeys(NpgsqlBatch sql, Batch batch)
    {
        var made = batch.SubjectKeys.OrderBy(k => k.Subject, StringComparer.Ordinal).ToList();
        if (made.Count > 0)
            sql.BatchCommands.Add(NewSubjectKeys.For(
                made.Count, Column(made, k => k.Subject), Column(made, k => k.Wrapped.WrappingKey), Column(made, k => k.Wrapped.Octets),
                Value((long)made.Count)));
    }

    private static void AddEventRows(NpgsqlBatch sql, Batch batch, Guid? notifyAs)
    {
        var events = batch.Events;
        var command = (notifyAs is null ? NewEvents : NewEventsNotifying).For(
            events.Count, Column(events, e => e.Event.Id), Column(events, e => e.Event.Stream.Tenant), Column(events, e => e.Event.Stream.Id),
            Column(events, e => e.Event.Version), Column(events, e => e.Json, NpgsqlDbType.Jsonb), Column(events, e => e.Type.Alias),
            Column(events, e => e.Event.Metadata.CorrelationId), Column(events, e => e.Event.Metadata.CausationId),
            Column(events, e => e.Event.Metadata.UserName), Column(events, e => e.Headers, NpgsqlDbType.Jsonb),
            Column(events, e => e.Type.DotnetType), Column(events, e => e.Event.Timestamp.UtcDateTime));
        if (notifyAs is { } node)
        {
            var (before, after) = CommitNotice.Encode(node, batch.Commit.Changes);
            command.Parameters.Add(Value(before));
            command.Parameters.Add(Value(after));
        }
        sql.BatchCommands.Add(command);
    }
}
