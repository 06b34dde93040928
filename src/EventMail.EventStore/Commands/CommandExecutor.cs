using Microsoft.Extensions.Logging;

namespace EventMail.EventStore;

/// <summary>
/// Decides and commits commands. One committer takes whatever is queued, decides it in order on the cached states and writes it
/// in one transaction and one round trip; a task completes when its command is durable. Thread-safe.
/// </summary>
public sealed class CommandExecutor : IAsyncDisposable
{
    private readonly CommandQueue _queue;
    private readonly Committer _committer;
    private readonly CommitterConnection _connection;
    private readonly NodeLink _link;
    private readonly StateCache _cache;
    private readonly StateLoader _states;
    private readonly Quarantine _quarantine;
    private readonly TimeSpan _closingGrace;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private int _closing;

    internal CommandExecutor(
        CommandQueue queue, Committer committer, CommitterConnection connection, NodeLink link, StateCache cache, StateLoader states, Quarantine quarantine,
        CommitFeed feed, TimeSpan closingGrace)
    {
        (_queue, _committer, _connection, _link, _cache, _states, _quarantine) = (queue, committer, connection, link, cache, states, quarantine);
        (Feed, _closingGrace) = (feed, closingGrace);
    }

    /// <summary>What was committed, in commit order: by this node, and by others.</summary>
    public CommitFeed Feed { get; }

    /// <summary>This process among the nodes on the database: its id in eventmail.node and in notices.</summary>
    public Guid Node => _link.Node;

    /// <summary>True while other nodes use the same database, and while that is not known.</summary>
    public bool OthersPresent => _link.OthersPresent;

    /// <summary>
    /// Grows whenever others come: what was read while <see cref="OthersPresent"/> was false, and moved by the feed since, is current
    /// as long as it is false and this is the same.
    /// </summary>
    public long Presence => _link.Presence;

    internal void Start() => _running = Task.Run(RunAsync);

    private async Task RunAsync()
    {
        try
        {
            await _committer.RunAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The database was away for too long: what was left fails.
        }
        finally
        {
            _queue.End();
        }
    }

    /// <summary>
    /// From here on a database that is away is waited for only so long (<see cref="EventLogOptions.ClosingGrace"/>); then the commands
    /// that wait fail. Call it before disposing what writes its last commands when it is disposed. Commands are still taken.
    /// </summary>
    public void BeginClosing()
    {
        if (Interlocked.Exchange(ref _closing, 1) == 0)
            _stop.CancelAfter(_closingGrace);
    }

    /// <summary>
    /// Queues a command and answers when its outcome is durable. Cancelling takes effect only while the command waits in the
    /// queue: once it is taken, it completes. Waits while the queue is full.
    /// </summary>
    /// <exception cref="Npgsql.NpgsqlException">The database refused it for a reason that is no rejection.</exception>
    public async Task<Outcome> ExecuteAsync(Command command, CancellationToken cancel)
    {
        var pending = new PendingCommand(command);
        await _queue.AddAsync(pending, cancel);
        return await pending.Task;
    }

    /// <summary>The stream's state, from the cache or loaded: everything that this node committed, and what it heard of others.</summary>
    /// <exception cref="DamagedStreamException">The stream is in quarantine.</exception>
    public ValueTask<LoadedState> StateAsync(StreamRef stream, CancellationToken cancel)
    {
        _quarantine.Require(stream.Key);
        return _cache.TryGet(stream.Key, out var state, out _) ? new(state) : new(_states.LoadAsync(stream, cancel));
    }

    /// <summary>Like <see cref="StateAsync"/>, but catches up with other nodes' commits first; free while there are none.</summary>
    /// <exception cref="DamagedStreamException">The stream is in quarantine.</exception>
    public ValueTask<LoadedState> RefreshAsync(StreamRef stream, CancellationToken cancel)
    {
        _quarantine.Require(stream.Key);
        if (!_cache.TryGet(stream.Key, out var state, out _))
            return new(_states.LoadAsync(stream, cancel));
        return _link.OthersPresent ? new(_states.RefreshAsync(stream, state, cancel)) : new(state);
    }

    /// <summary>The states of many streams of a kind like <see cref="RefreshAsync"/>'s, with a statement or two for all of them.</summary>
    /// <exception cref="DamagedStreamException">One of the streams is in quarantine.</exception>
    public Task<IReadOnlyDictionary<StreamKey, LoadedState>> RefreshAsync(StreamKind kind, IReadOnlyList<StreamKey> keys, CancellationToken cancel)
    {
        if (!_quarantine.IsEmpty)
        {
            foreach (var key in keys)
                _quarantine.Require(key);
        }
        return _states.RefreshAsync(kind, keys, _link.OthersPresent, cancel);
    }

    /// <summary>The cached state, if any. Takes no lock.</summary>
    public bool TryGetState(StreamKey key, out LoadedState state) => _cache.TryGet(key, out state, out _);

    /// <summary>
    /// Puts a state that was loaded elsewhere (a richer one) into the cache in the place of the cached one. If it lags behind, the
    /// missing events are read and folded into it first.
    /// </summary>
    public Task InstallAsync(StreamRef stream, LoadedState state, CancellationToken cancel) =>
        _states.InstallAsync(stream, state, cancel);

    /// <summary>
    /// Keeps the stream's state in the cache, once it is there, until the answer is disposed: only of cached streams are other
    /// nodes' commits published.
    /// </summary>
    public IDisposable Hold(StreamKey key)
    {
        _cache.Hold(key);
        return new Held(_cache, key);
    }

    private sealed class Held(StateCache cache, StreamKey key) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) == 0)
                cache.Release(key);
        }
    }

    /// <summary>Takes no more commands, commits those that are queued, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Close();
        BeginClosing();
        await _running;
        await _connection.DisposeAsync();
        _stop.Dispose();
    }
}
