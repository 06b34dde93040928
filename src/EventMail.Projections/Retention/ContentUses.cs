using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.History;
using EventMail.Projections.History.Index;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Retention;

/// <summary>
/// Who names contents, and who did. Nothing counts that: what names them now is found by going through all mailboxes as they are, a picture and a tail
/// each; where they were is found in the index of the log.
/// </summary>
internal sealed class ContentUses(EventLog log)
{
    /// <summary>
    /// SQL: nothing in the log behind a position brings one of these contents to life. It knows the events as they are stored, by which alone a
    /// content gets to a mailbox or into the queue, or a mailbox with all it had comes back.
    /// </summary>
    private const string Guard = $"""
        select eventmail.require_rows(0, (
          select count(*) from public.mt_events e where e.seq_id > $2 and (
            (e.type in ('message_received', 'message_appended', 'message_submitted') and (e.data->'Content'->>'Number')::bigint = any($1))
            or (e.type in ('messages_copied_in', 'messages_restored')
              and exists (select from jsonb_array_elements_text(e.data->'Contents') c where c::bigint = any($1)))
            or e.type = 'mailbox_restored')), '{CommitTerm.Conflict}')
        """;

    /// <summary>No content's number: what came is whatever a mailbox had.</summary>
    public const long Everything = 0;

    // The log says which mailboxes there are: a read model that lacks one, or is behind, must not make its messages gone.
    private const string MayHaveMessages = """
        select s.tenant_id, s.id from public.mt_streams s left join mailbox m on m.tenant_id = s.tenant_id and m.id = s.id
        where s.type = 'mailbox' and (m.id is null or m.version < s.version or (not m.deleted and m.messages > 0)) order by s.tenant_id, s.id
        """;

    private readonly HistoryIndex _index = new(log.DataSource);

    /// <summary>Ends a transaction that releases contents when an event behind that position brought one of them to life.</summary>
    public static NpgsqlBatchCommand GuardOf(long[] contents, long since) => new(Guard)
    {
        Parameters = { new NpgsqlParameter<long[]> { TypedValue = contents }, new NpgsqlParameter<long> { TypedValue = since } },
    };

    /// <summary>Every mailbox that has messages, with them, at or behind where the log stood when it was called.</summary>
    public async Task ForEachMailboxAsync(Action<StreamKey, MailboxView> told, CancellationToken cancel)
    {
        var keys = new List<StreamKey>();
        await using (var command = log.DataSource.CreateCommand(MayHaveMessages))
        await using (var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false))
            while (await row.ReadAsync(cancel).ConfigureAwait(false))
                keys.Add(new(row.GetString(0), row.GetGuid(1)));
        foreach (var key in keys)
            if (await ViewAsync(key, cancel).ConfigureAwait(false) is { } view)
                told(key, view);
    }

    // Not by way of the cache, from which others would be pushed out.
    private async Task<MailboxView?> ViewAsync(StreamKey key, CancellationToken cancel)
    {
        if (log.Executor.TryGetState(key, out var known) && ((MailboxState)known.State).View is not null
            && (MailboxState)(await log.Executor.RefreshAsync(MailboxKind.Stream(key), cancel).ConfigureAwait(false)).State is { View: { } view } current)
            return current.Exists ? view : null;
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel).ConfigureAwait(false);
        var start = await MailboxSnapshotRows.LoadAsync(connection, key, cancel).ConfigureAwait(false) ?? MailboxState.Empty;
        var state = (MailboxState)(await log.Reader.FoldTailAsync(MailboxKind.Instance, connection, key, new(start, start.Version), null, cancel).ConfigureAwait(false)).State;
        return state.Exists ? state.View : null;
    }

    /// <summary>What mailboxes and the queue name.</summary>
    public async Task<LivingContents> LivingAsync(CancellationToken cancel)
    {
        var living = new LivingContents();
        await ForEachMailboxAsync(
            (_, view) =>
            {
                foreach (var slice in view.Slices())
                    foreach (var content in slice.Contents)
                        living.Add(content);
            },
            cancel).ConfigureAwait(false);
        foreach (var (content, _) in await QueuedAsync(cancel).ConfigureAwait(false))
            living.Add(content);
        return living;
    }

    /// <summary>What waits in the queue: contents, and the deliveries that name them.</summary>
    public async Task<List<(long Content, StreamKey Delivery)>> QueuedAsync(CancellationToken cancel)
    {
        const string sql = """
            select (e.data->'Content'->>'Number')::bigint, e.tenant_id, e.stream_id
            from (select distinct tenant_id, id from delivery_queue) q
            join public.mt_events e on e.tenant_id = q.tenant_id and e.stream_id = q.id and e.version = 1
            """;
        await using var command = log.DataSource.CreateCommand(sql);
        var queued = new List<(long, StreamKey)>();
        await using var row = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
        while (await row.ReadAsync(cancel).ConfigureAwait(false))
            queued.Add((row.GetInt64(0), new(row.GetString(1), row.GetGuid(2))));
        return queued;
    }

    /// <summary>The streams in which contents ever came, up to a safe position of the log: by the index, and behind it by the log itself.</summary>
    public async Task<Dictionary<long, HashSet<StreamKey>>> PlacesAsync(long[] contents, long end, CancellationToken cancel)
    {
        var places = contents.ToDictionary(content => content, _ => new HashSet<StreamKey>());
        var indexed = await _index.PositionAsync(cancel).ConfigureAwait(false);
        if (indexed > 0)
            foreach (var (content, stream) in await _index.StreamsOfAsync(contents, cancel).ConfigureAwait(false))
                places[content].Add(stream);
        await foreach (var (content, stream) in ArrivalsAsync(indexed, end, cancel).ConfigureAwait(false))
            if (places.TryGetValue(content, out var known))
                known.Add(stream);
        return places;
    }

    /// <summary>What came in between two positions of the log, the upper one safe.</summary>
    public async IAsyncEnumerable<(long Content, StreamKey Stream)> ArrivalsAsync(
        long after, long upTo, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var e in log.Reader.ReadBetweenAsync(after, upTo, cancel).ConfigureAwait(false))
        {
            if (EventTerms.Content(e.Data) is { } content)
                yield return (content.Number, e.Stream);
            else if (EventTerms.Moved(e.Data) is var (_, moved))
                foreach (var number in moved)
                    yield return (number, e.Stream);
            else if (e.Data is MailboxRestored)
                yield return (Everything, e.Stream);
        }
    }
}
