using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace EventMail.Protocols.Wire;

/// <summary>
/// The reading half of a connection: waits for bytes, a time-out, a wake-up, the server's stop or an abort, whichever comes first.
/// Used by one session loop at a time; <see cref="Raise"/> and <see cref="CheckDeadline"/> may be called from anywhere.
/// </summary>
internal sealed class ConnectionInput
{
    private readonly ReadSignal _signal = new();
    private readonly Action _onReadDone;
    private PipeReader _pipe;
    private int _flags;
    private bool _stopAnnounced;

    // The pipe's read that outlived a wait: at most one, and only while _reading.
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _read;
    private bool _reading;
    private volatile bool _readDone;
    private bool _mustAdvance;

    private long _deadline = long.MaxValue;

    public ConnectionInput(PipeReader pipe) => (_pipe, _onReadDone) = (pipe, OnReadDone);

    [Flags]
    public enum Event
    {
        Woken = 1,
        Stopping = 2,
        TimedOut = 4,
        Aborted = 8,
    }

    public bool IsStopping => (Volatile.Read(ref _flags) & (int)Event.Stopping) != 0;

    /// <summary>A read was begun and neither answered nor given up.</summary>
    public bool IsReading => _reading;

    public bool IsInterrupted
    {
        get
        {
            var flags = (Event)Volatile.Read(ref _flags);
            return (flags & (Event.Woken | Event.Aborted)) != 0 || ((flags & Event.Stopping) != 0 && !_stopAnnounced);
        }
    }

    /// <summary>Ends a pending wait, or the next one.</summary>
    public void Raise(Event what)
    {
        if ((Interlocked.Or(ref _flags, (int)what) & (int)what) == 0)
        {
            _signal.Set(inline: false);
        }
    }

    public void CheckDeadline(long now)
    {
        if (Volatile.Read(ref _deadline) <= now)
        {
            Raise(Event.TimedOut);
        }
    }

    public PipeReader Pipe => _pipe;

    /// <summary>Reads from another layer from now on. What the old one held is lost.</summary>
    public void Replace(PipeReader pipe) => _pipe = pipe;

    public ValueTask CompleteAsync() => _pipe.CompleteAsync();

    public ValueTask<(ReadStatus Status, ReadOnlySequence<byte> Buffer)> ReadAsync(TimeSpan timeout)
    {
        if (TakeInterruption() is { } interruption)
        {
            return new((interruption, default));
        }

        return TryRead(out var result) ? new(result) : WaitAsync(timeout);
    }

    public bool TryRead(out (ReadStatus Status, ReadOnlySequence<byte> Buffer) result)
    {
        if (_reading)
        {
            result = default;
            if (!_readDone)
            {
                return false;
            }

            result = FinishRead();
            return true;
        }

        try
        {
            if (_pipe.TryRead(out var read))
            {
                result = Answer(read);
                return true;
            }
        }
        catch (Exception e) when (MailConnection.IsLoss(e))
        {
            result = (ReadStatus.Closed, ReadOnlySequence<byte>.Empty);
            return true;
        }

        result = default;
        return false;
    }

    public void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_mustAdvance)
        {
            _mustAdvance = false;
            _pipe.AdvanceTo(consumed, examined);
        }
    }

    private async ValueTask<(ReadStatus Status, ReadOnlySequence<byte> Buffer)> WaitAsync(TimeSpan timeout)
    {
        var deadline = timeout == Timeout.InfiniteTimeSpan ? long.MaxValue : Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        if (!_reading && BeginRead() is { } answer)
        {
            return answer;
        }

        while (true)
        {
            _signal.Arm();
            // A time-out raised for an earlier wait, a moment too late, is not this one's. Only once armed: a flag that is up
            // already signals nobody.
            Lower(Event.TimedOut);
            Volatile.Write(ref _deadline, deadline);
            if ((!_readDone && !IsInterrupted) || !_signal.TryDisarm())
            {
                await _signal.WaitAsync().ConfigureAwait(false);
            }

            Volatile.Write(ref _deadline, long.MaxValue);
            if (_readDone)
            {
                return FinishRead();
            }

            if (TakeInterruption() is { } interruption)
            {
                return (interruption, default);
            }

            if (Lower(Event.TimedOut) && Environment.TickCount64 >= deadline)
            {
                return (ReadStatus.TimedOut, default);
            }
        }
    }

    // Null when the read is pending: OnReadDone will tell.
    private (ReadStatus, ReadOnlySequence<byte>)? BeginRead()
    {
        try
        {
            var read = _pipe.ReadAsync().ConfigureAwait(false).GetAwaiter();
            if (read.IsCompleted)
            {
                return Answer(read.GetResult());
            }

            (_read, _readDone, _reading) = (read, false, true);
            read.UnsafeOnCompleted(_onReadDone);
            return null;
        }
        catch (Exception e) when (MailConnection.IsLoss(e))
        {
            return (ReadStatus.Closed, ReadOnlySequence<byte>.Empty);
        }
    }

    private void OnReadDone()
    {
        _readDone = true;
        // Inline: the transport runs continuations on the thread pool already.
        _signal.Set(inline: true);
    }

    private (ReadStatus Status, ReadOnlySequence<byte> Buffer) FinishRead()
    {
        (_reading, _readDone) = (false, false);
        try
        {
            return Answer(_read.GetResult());
        }
        catch (Exception e) when (MailConnection.IsLoss(e))
        {
            // The peer vanished or the connection was aborted: for the session it is a close.
            return (ReadStatus.Closed, ReadOnlySequence<byte>.Empty);
        }
        finally
        {
            _read = default;
        }
    }

    private (ReadStatus Status, ReadOnlySequence<byte> Buffer) Answer(ReadResult read)
    {
        _mustAdvance = true;
        return (read.IsCompleted || read.IsCanceled ? ReadStatus.Closed : ReadStatus.Data, read.Buffer);
    }

    private bool Lower(Event what) => (Interlocked.And(ref _flags, ~(int)what) & (int)what) != 0;

    private ReadStatus? TakeInterruption()
    {
        if (!IsInterrupted)
        {
            return null;
        }

        var flags = (Event)Volatile.Read(ref _flags);
        if ((flags & Event.Aborted) != 0)
        {
            return ReadStatus.Closed;
        }

        if ((flags & Event.Stopping) != 0 && !_stopAnnounced)
        {
            _stopAnnounced = true;
            return ReadStatus.Stopping;
        }

        Lower(Event.Woken);
        return ReadStatus.Woken;
    }

    // A pipe must not be completed under a read: its buffers would go back to the pool while they are being filled.
    public async ValueTask EndReadAsync()
    {
        if (!_reading)
        {
            return;
        }

        _pipe.CancelPendingRead();
        while (!_readDone)
        {
            _signal.Arm();
            if (!_readDone || !_signal.TryDisarm())
            {
                await _signal.WaitAsync().ConfigureAwait(false);
            }
        }

        var (_, buffer) = FinishRead();
        AdvanceTo(buffer.Start, buffer.End);
    }
}
