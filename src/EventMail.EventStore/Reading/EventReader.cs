using Npgsql;

namespace EventMail.EventStore;

/// <summary>Reads the log. Thread-safe; each call uses connections of the pool for short statements.</summary>
public sealed class EventReader
{
    internal EventReader() { }

    /// <summary>A stream's events in order. <paramref name="toVersion"/> is inclusive; null reads to the end.</summary>
    public IAsyncEnumerable<StoredEvent> ReadStreamAsync(
        StreamKey key, long fromVersion = 1, long? toVersion = null, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>
    /// All events after a position, in log order and without gaps: an event is told only when every transaction that could still
    /// commit a lower position has ended. Ends at the last safe position; call again from the last Sequence for more.
    /// </summary>
    public IAsyncEnumerable<StoredEvent> ReadAllAsync(long afterSequence, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>The events that match a filter, in log order; unknown types come as <see cref="UnknownEvent"/>.</summary>
    public IAsyncEnumerable<StoredEvent> ReadHistoryAsync(EventFilter filter, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Reads whole streams in one statement and folds them; streams without events are left out.</summary>
    public Task<IReadOnlyDictionary<StreamKey, LoadedState>> FoldAsync(
        StreamKind kind, NpgsqlConnection connection, IReadOnlyList<StreamKey> keys, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>
    /// Folds the events above a state's version (up to <paramref name="toVersion"/>, inclusive; null: all) into it: how a state that
    /// a snapshot or segments hold is brought up to date.
    /// </summary>
    public Task<LoadedState> FoldTailAsync(
        StreamKind kind, NpgsqlConnection connection, StreamKey key, LoadedState from, long? toVersion, CancellationToken cancel) =>
        throw new NotSupportedException();
}
