using Npgsql;

namespace EventMail.EventStore;

/// <summary>Makes a page of the log into the statements that move read models over it, as the commits of its events once did.</summary>
internal sealed class LogFold(EventTypeMap types, IReadOnlyList<IInlineProjection> models, StreamStates states)
{
    /// <summary>Rows that one thread decodes at a time.</summary>
    private const int Stretch = 512;

    private sealed class Move(StreamKind kind, object before, long fromVersion)
    {
        public List<StoredEvent> Events { get; } = [];

        public long Last => Events[^1].Sequence;

        public StreamChange To(StreamKey key, object after) => new(kind, key, before, after, fromVersion, Events[^1].Version, Events);
    }

    public async Task AddAsync(LogPage page, NpgsqlBatch sql, CancellationToken cancel)
    {
        var data = Decode(page);
        var first = new Dictionary<StreamKey, long>();
        foreach (var row in page.Rows)
            first.TryAdd(row.Stream, row.Version);
        await states.PrepareAsync(first, cancel);

        var moves = new Dictionary<StreamKey, Move>(first.Count);
        for (var i = 0; i < data.Length; i++)
        {
            var row = page.Rows[i];
            var entry = states.Get(row.Stream);
            if (entry.Kind is not { } kind || entry.Fault is not null)
                continue;
            var e = new StoredEvent(row.Sequence, row.Id, row.Stream, row.Version, row.Type, data[i], row.Time, EventMetadata.System);
            var parts = e.Data is SplitEvent split ? [.. split.PartsOf(e)] : (StoredEvent[]?)null;
            var next = parts is null ? StreamStates.Fold(entry, e) : parts.Aggregate(entry, StreamStates.Fold);
            if (next.Fault is { } fault)
            {
                // Of a row that cannot be folded to its end nothing is.
                states.Set(row.Stream, entry with { Fault = fault });
                sql.BatchCommands.Add(UnreadableEvents.Note(UnreadableRow.Of(e, e.Data is UnreadableEvent unreadable ? unreadable.Error : fault) with
                {
                    CanBeRead = e.Data is not (UnreadableEvent or UnknownEvent),
                }));
                continue;
            }
            states.Set(row.Stream, next);
            if (!moves.TryGetValue(row.Stream, out var move))
                moves[row.Stream] = move = new(kind, entry.State, row.Version);
            move.Events.AddRange(parts ?? [e]);
        }
        if (moves.Count == 0)
            return;
        var changes = moves.OrderBy(m => m.Value.Last).Select(m => m.Value.To(m.Key, states.Get(m.Key).State)).ToList();
        var batch = new CommitBatch(changes, [], Remote: false) { Building = true };
        foreach (var model in models)
            model.Fold(batch, sql);
        foreach (var change in changes)
        {
            if (change.Kind.IsOver(change.After))
                states.Forget(change.Key);
        }
    }

    private object[] Decode(LogPage page)
    {
        var data = new object[page.Rows.Count];
        Parallel.For(0, (data.Length + Stretch - 1) / Stretch, n =>
        {
            for (var i = n * Stretch; i < Math.Min(data.Length, (n + 1) * Stretch); i++)
            {
                var row = page.Rows[i];
                data[i] = types.TryRead(row.Type, page.DataOf(row));
            }
        });
        return data;
    }
}
