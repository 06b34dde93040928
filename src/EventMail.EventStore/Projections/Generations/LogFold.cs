using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Moves streams' states over pages of the log, and makes what they moved by into the statements that move read models, as the commits of the
/// events once did. Between two writes it keeps the states and those events that a read model looks at, nothing else of the pages.
/// </summary>
internal sealed class LogFold(EventDecoder decoder, IReadOnlyList<IInlineProjection> models, StreamStates states)
{
    /// <summary>Rows that one thread decodes at a time.</summary>
    private const int Stretch = 512;

    /// <summary>A stream since the last write.</summary>
    private sealed class Move(StreamStates.Entry entry, long fromVersion)
    {
        private readonly object _before = entry.State;
        private readonly List<StoredEvent> _events = [];

        public StreamStates.Entry Entry => entry with { State = State, Version = Version, Fault = Fault };

        public StreamKind? Kind { get; } = entry.Kind;

        public object State { get; set; } = entry.State;

        public long Version { get; set; } = entry.Version;

        public string? Fault { get; set; } = entry.Fault;

        /// <summary>The position of the last event that was folded; 0: none.</summary>
        public long Last { get; set; }

        public void Keep(StoredEvent e) => _events.Add(e);

        public StreamChange To(StreamKey key) => new(Kind!, key, _before, State, fromVersion, Version, _events);
    }

    private readonly Dictionary<StreamKey, Move> _moves = [];
    private readonly List<UnreadableRow> _unreadable = [];

    /// <param name="threads">That decode.</param>
    /// <param name="beforeStates">Called before states are read from the tables, which must be written by then.</param>
    public async Task AddAsync(LogPage page, int threads, Func<Task> beforeStates, CancellationToken cancel)
    {
        var first = new Dictionary<StreamKey, long>();
        foreach (var row in page.Rows)
        {
            if (!_moves.ContainsKey(row.Stream))
                first.TryAdd(row.Stream, row.Version);
        }
        await states.PrepareAsync(first, beforeStates, cancel);
        await LoadKeysAsync(page, cancel);
        var data = Decode(page, threads);
        for (var i = 0; i < data.Length; i++)
        {
            var row = page.Rows[i];
            ref var move = ref CollectionsMarshal.GetValueRefOrAddDefault(_moves, row.Stream, out _);
            move ??= new(states.Get(row.Stream), row.Version);
            if (move is { Kind: { } kind, Fault: null })
                Fold(move, kind, new(row.Sequence, row.Id, row.Stream, row.Version, row.Type, data[i], row.Time, EventMetadata.System));
        }
    }

    private void Fold(Move move, StreamKind kind, StoredEvent row)
    {
        var parts = row.Data is SplitEvent split ? [.. split.PartsOf(row)] : (StoredEvent[]?)null;
        try
        {
            // Of a row that cannot be folded to its end nothing is.
            move.State = parts is null
                ? EventReader.Evolve(kind, move.State, row)
                : parts.Aggregate(move.State, (state, part) => EventReader.Evolve(kind, state, part));
        }
        // Whatever a state makes of an event that cannot follow: the stream is left as it is, and the others go on.
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            move.Fault = fault.Message;
            _unreadable.Add(UnreadableRow.Of(row, row.Data is UnreadableEvent unreadable ? unreadable.Error : fault.Message) with
            {
                CanBeRead = row.Data is not (UnreadableEvent or UnknownEvent),
            });
            return;
        }
        (move.Version, move.Last) = (row.Version, row.Sequence);
        if (parts is null)
            Keep(move, row);
        else
            Array.ForEach(parts, part => Keep(move, part));
    }

    private void Keep(Move move, StoredEvent e)
    {
        foreach (var model in models)
        {
            if (!model.Reads(e.Data))
                continue;
            move.Keep(e);
            return;
        }
    }

    /// <summary>The statements for what was added since the last time.</summary>
    public void Write(NpgsqlBatch sql)
    {
        foreach (var row in _unreadable)
            sql.BatchCommands.Add(UnreadableEvents.Note(row));
        var changes = _moves.Where(m => m.Value.Last > 0).OrderBy(m => m.Value.Last).Select(m => m.Value.To(m.Key)).ToList();
        if (changes.Count > 0)
        {
            var batch = new CommitBatch(changes, [], Remote: false) { Building = true };
            foreach (var model in models)
                model.Fold(batch, sql);
        }
        foreach (var (key, move) in _moves)
        {
            if (move.Kind is { } kind && kind.IsOver(move.State))
                states.Forget(key);
            else
                states.Set(key, move.Entry);
        }
        Forget();
    }

    /// <summary>What was added is not written.</summary>
    public void Forget()
    {
        _moves.Clear();
        _unreadable.Clear();
    }

    private async Task LoadKeysAsync(LogPage page, CancellationToken cancel)
    {
        HashSet<string>? lacking = null;
        foreach (var row in page.Rows)
            if (decoder.Lacks(row.Type, row.Stream, page.DataOf(row), Opening.ForFolds) is { } subject)
                (lacking ??= new(StringComparer.Ordinal)).Add(subject);
        if (lacking is not null)
            await decoder.Keys.LoadAsync(lacking, cancel);
    }

    private object[] Decode(LogPage page, int threads)
    {
        var data = new object[page.Rows.Count];
        try
        {
            Parallel.For(0, (data.Length + Stretch - 1) / Stretch, new() { MaxDegreeOfParallelism = threads }, n =>
            {
                for (var i = n * Stretch; i < Math.Min(data.Length, (n + 1) * Stretch); i++)
                {
                    var row = page.Rows[i];
                    data[i] = decoder.ReadSlice(row.Type, row.Stream, row.Version, page.DataOf(row));
                }
            });
        }
        catch (AggregateException e) when (e.InnerExceptions is [SubjectKeyUnusableException unusable, ..])
        {
            ExceptionDispatchInfo.Throw(unusable); // in its own words
        }
        return data;
    }
}
