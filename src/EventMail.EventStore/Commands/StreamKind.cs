using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// What the executor knows of one kind of stream (mt_streams.type): how its state is loaded and folded.
/// States are immutable: <see cref="Evolve"/> returns a new one, because a batch may be thrown away before it commits.
/// </summary>
public abstract class StreamKind
{
    /// <summary>The aggregate alias in mt_streams.type, snake case.</summary>
    public abstract string Name { get; }

    /// <summary>The state of a stream without events (version 0).</summary>
    public abstract object Empty(StreamKey key);

    /// <summary>The same without what grows with the stream's events and is in no row: what read models are built with.</summary>
    public virtual object EmptyHeader(StreamKey key) => Empty(key);

    /// <summary>The table that <see cref="LoadHeadersAsync"/> reads; null when states are folded from their streams.</summary>
    public virtual string? HeaderTable => null;

    /// <summary>
    /// The states that a read model's rows hold, without what is in none, each with its version; the log may have gone on. Unqualified
    /// names: it is asked of generations that are being built, too.
    /// </summary>
    public virtual Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadHeadersAsync(
        NpgsqlConnection connection, IReadOnlyList<StreamKey> keys, CancellationToken cancel) =>
        Task.FromResult<IReadOnlyDictionary<StreamKey, LoadedState>>(new Dictionary<StreamKey, LoadedState>());

    /// <summary>Folds one event. Pure.</summary>
    public abstract object Evolve(object state, StoredEvent e);

    /// <summary>
    /// True for an alias of another application's events that may stand in streams of this kind and mean nothing to its state.
    /// Any other unknown event in a stream of this kind is an error: a state that misses an event must not decide.
    /// </summary>
    public virtual bool Ignores(string alias) => false;

    /// <summary>How much of the cache a state takes (<see cref="EventLogOptions.StateCacheWeight"/>). A small state is 1.</summary>
    public virtual int Weight(object state) => 1;

    /// <summary>True for a state that nobody is going to ask for again, as that of a message which is delivered: it is not kept.</summary>
    public virtual bool IsOver(object state) => false;

    /// <summary>True when other nodes' commits are published even for streams that are not cached (directories, credentials).</summary>
    public virtual bool FollowRemote => false;

    /// <summary>True for an event that may matter to sessions which cannot name its stream beforehand: notices mark it.</summary>
    public virtual bool IsWide(object @event) => false;

    /// <summary>
    /// Loads the states of the given streams as of one statement's snapshot, each with the stream version that it stands at.
    /// Streams without a row are left out of the answer (they are empty). The default reads and folds whole streams, which is
    /// right for short ones; a kind with long streams reads its inline projection's row instead.
    /// </summary>
    public virtual Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadAsync(
        NpgsqlConnection connection, EventReader reader, IReadOnlyList<StreamKey> keys, CancellationToken cancel) =>
        reader.FoldAsync(this, connection, keys, cancel);
}

/// <summary>A stream's state and the version that it stands at.</summary>
public readonly record struct LoadedState(object State, long Version)
{
    /// <summary>The event of this version, as far as it is known: a state that is loaded from a read model's row says nothing of it.</summary>
    internal LastEvent Last { get; init; }
}
