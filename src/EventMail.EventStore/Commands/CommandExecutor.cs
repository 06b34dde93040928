using System.Diagnostics.CodeAnalysis;

namespace EventMail.EventStore;

/// <summary>
/// Decides and commits commands. One committer takes whatever is queued, decides it in order on the cached states and writes it
/// in one transaction and one round trip; a task completes when its command is durable. Thread-safe.
/// </summary>
public sealed class CommandExecutor : IAsyncDisposable
{
    internal CommandExecutor() { }

    /// <summary>What was committed, in commit order: by this node, and by others.</summary>
    public CommitFeed Feed { get; } = new();

    /// <summary>True while other nodes use the same database.</summary>
    public bool OthersPresent => throw new NotSupportedException();

    /// <summary>
    /// Queues a command and answers when its outcome is durable. Cancelling takes effect only while the command waits in the
    /// queue: once it is taken, it completes. Waits while the queue is full.
    /// </summary>
    public Task<Outcome> ExecuteAsync(Command command, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>The stream's state, from the cache or loaded: everything that this node committed, and what it heard of others.</summary>
    public ValueTask<LoadedState> StateAsync(StreamRef stream, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>Like <see cref="StateAsync"/>, but catches up with other nodes' commits first; free while there are none.</summary>
    public ValueTask<LoadedState> RefreshAsync(StreamRef stream, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>The cached state, if any. Takes no lock.</summary>
    public bool TryGetState(StreamKey key, [MaybeNullWhen(false)] out LoadedState state) => throw new NotSupportedException();

    /// <summary>
    /// Puts a state that was loaded elsewhere (a richer one) into the cache in the place of the cached one. If the cached one is
    /// ahead, the missing events are read and folded into it first.
    /// </summary>
    public Task InstallAsync(StreamRef stream, LoadedState state, CancellationToken cancel) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
