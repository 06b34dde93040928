using System.Collections.Concurrent;
using System.Threading.Channels;

namespace EventMail.EventStore;

/// <summary>
/// Commands waiting for the committer: bounded, first come first served, except that deferred ones return to the front. Those of its
/// session wait behind a deferred one: UIDs follow the order in which a client sent its messages.
/// </summary>
internal sealed class CommandQueue(int limit)
{
    private readonly ConcurrentQueue<PendingCommand> _waiting = new();
    private readonly ConcurrentQueue<PendingCommand> _front = new();
    private readonly SemaphoreSlim _room = new(limit);
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly Lock _gate = new();
    private bool _closed;
    private bool _ended;
    private int _deferred;

    // By session: the deferred command until it is taken again, and who came behind it.
    private readonly Dictionary<string, (PendingCommand Deferred, Queue<PendingCommand> Behind)> _sessions = [];
    private PendingCommand? _held;

    /// <summary>Waits while the queue is full.</summary>
    public async Task AddAsync(PendingCommand command, CancellationToken cancel)
    {
        if (!_room.Wait(0, CancellationToken.None))
            await _room.WaitAsync(cancel);
        command.CancelOn(cancel);
        lock (_gate)
        {
            if (_closed)
                _room.Release(); // for those who wait behind: they are to hear it, too
            ObjectDisposedException.ThrowIf(_closed, typeof(CommandExecutor));
            _waiting.Enqueue(command);
        }
        _signal.Writer.TryWrite(true);
    }

    /// <summary>A command left to prepare itself: the queue stays open for it.</summary>
    public void Leave(PendingCommand command)
    {
        Interlocked.Increment(ref _deferred);
        if (command.Session is not { } session)
            return;
        lock (_gate)
            _sessions[session] = (command, new());
    }

    /// <summary>False when nobody of its session is deferred.</summary>
    public bool TryWaitBehind(PendingCommand command)
    {
        if (command.Session is not { } session)
            return false;
        lock (_gate)
        {
            if (!_sessions.TryGetValue(session, out var waiting) || waiting.Deferred == command)
                return false;
            waiting.Behind.Enqueue(command);
            return true;
        }
    }

    /// <summary>A command that came behind a deferred one of its session, which may have failed since.</summary>
    public void WaitBehind(PendingCommand command)
    {
        if (!TryWaitBehind(command))
            _front.Enqueue(command);
    }

    // The one that they waited for has been taken, or does not come back.
    private void Follow(PendingCommand command)
    {
        if (command.Session is not { } session)
            return;
        lock (_gate)
        {
            if (!_sessions.TryGetValue(session, out var waiting) || waiting.Deferred != command)
                return;
            _sessions.Remove(session);
            foreach (var next in waiting.Behind)
                _front.Enqueue(next);
        }
    }

    public void Return(PendingCommand command)
    {
        lock (_gate)
        {
            _front.Enqueue(command);
            while (_ended && Next() is { } left)
                Fail(left);
        }
        Interlocked.Decrement(ref _deferred);
        _signal.Writer.TryWrite(true);
    }

    /// <summary>A command that left does not return.</summary>
    public void Forget(PendingCommand command)
    {
        Follow(command);
        lock (_gate)
        {
            while (_ended && _front.TryDequeue(out var left))
                Fail(left);
        }
        Interlocked.Decrement(ref _deferred);
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Takes no more commands from outside.</summary>
    public void Close()
    {
        lock (_gate)
            _closed = true;
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Nobody takes commands any more: those that wait fail, and those that come back as well.</summary>
    public void End()
    {
        lock (_gate)
            (_closed, _ended) = (true, true);
        while (Next() is { } left)
            Fail(left);
        lock (_gate)
        {
            foreach (var (_, behind) in _sessions.Values)
            {
                while (behind.TryDequeue(out var waiting))
                    Fail(waiting);
            }
        }
    }

    private static void Fail(PendingCommand command) =>
        command.Fail(new OperationCanceledException("the event log was closed while the database was away"));

    /// <summary>Waits until something is queued; false when the queue is closed and everything has been taken.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancel)
    {
        while (_held is null && _front.IsEmpty && _waiting.IsEmpty)
        {
            lock (_gate)
            {
                if (_closed && Volatile.Read(ref _deferred) == 0 && _front.IsEmpty && _waiting.IsEmpty)
                    return false;
            }
            await _signal.Reader.ReadAsync(cancel);
        }
        return true;
    }

    /// <summary>What is queued now, up to a number of commands and of bytes (at least one command). Committer only.</summary>
    public List<PendingCommand> Take(int maxCommands, long maxBytes)
    {
        var taken = new List<PendingCommand>();
        var bytes = 0L;
        while (taken.Count < maxCommands && Next() is { } command)
        {
            bytes += command.RowBytes;
            if (bytes > maxBytes && taken.Count > 0)
            {
                _held = command;
                break;
            }
            taken.Add(command);
        }
        return taken;
    }

    private PendingCommand? Next()
    {
        while (Oldest() is { } command)
        {
            if (TryWaitBehind(command))
                continue;
            Follow(command);
            return command;
        }
        return null;
    }

    private PendingCommand? Oldest()
    {
        if (_held is { } held)
        {
            _held = null;
            return held;
        }
        if (_front.TryDequeue(out var command))
            return command;
        while (_waiting.TryDequeue(out command))
        {
            _room.Release();
            if (command.TryTake())
                return command;
        }
        return null;
    }
}
