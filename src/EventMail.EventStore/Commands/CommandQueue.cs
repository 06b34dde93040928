using System.Collections.Concurrent;
using System.Threading.Channels;

namespace EventMail.EventStore;

/// <summary>Commands waiting for the committer: bounded, first come first served, except that deferred ones return to the front.</summary>
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
    public void Leave() => Interlocked.Increment(ref _deferred);

    public void Return(PendingCommand command)
    {
        lock (_gate)
        {
            if (_ended)
                Fail(command);
            else
                _front.Enqueue(command);
        }
        Interlocked.Decrement(ref _deferred);
        _signal.Writer.TryWrite(true);
    }

    /// <summary>A command that left does not return.</summary>
    public void Forget()
    {
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
