using System.Buffers;

namespace EventMail.Protocols.Wire;

/// <summary>Cuts a connection's input into lines.</summary>
internal sealed class LineInput(ConnectionInput input)
{
    private bool _wakeAfterLine;
    private bool _lineOpen;
    private long _lineStarted;

    /// <summary>From a line's first byte to its end.</summary>
    public TimeSpan LineTimeout { get; set; } = Timeout.InfiniteTimeSpan;

    public ValueTask<LineStatus> ReadLineAsync(Line line, int maxLength, TimeSpan timeout)
    {
        if (!_lineOpen)
        {
            line.Clear();
        }

        _lineOpen = false;
        if (!input.IsInterrupted && input.TryRead(out var read) && TryTakeLine(line, maxLength, read) is { } status)
        {
            return new(status);
        }

        return FinishLineAsync(line, maxLength, timeout);
    }

    public bool TryReadLine(Line line, int maxLength, out LineStatus status)
    {
        status = default;
        if (input.IsInterrupted)
        {
            return false;
        }

        if (!_lineOpen)
        {
            line.Clear();
        }

        if (input.TryRead(out var read))
        {
            var whole = TryTakeLine(line, maxLength, read);
            status = whole.GetValueOrDefault();
            _lineOpen = whole is null;
            return whole is not null;
        }

        return false;
    }

    private TimeSpan Patience(Line line, TimeSpan timeout)
    {
        if (line.IsEmpty || LineTimeout == Timeout.InfiniteTimeSpan)
        {
            return timeout;
        }

        var left = LineTimeout - TimeSpan.FromMilliseconds(Environment.TickCount64 - _lineStarted);
        return left < TimeSpan.Zero ? TimeSpan.Zero : timeout == Timeout.InfiniteTimeSpan || left < timeout ? left : timeout;
    }

    private async ValueTask<LineStatus> FinishLineAsync(Line line, int maxLength, TimeSpan timeout)
    {
        while (true)
        {
            var read = await input.ReadAsync(Patience(line, timeout)).ConfigureAwait(false);
            switch (read.Status)
            {
                case ReadStatus.Data or ReadStatus.Closed:
                    if (TryTakeLine(line, maxLength, read) is { } status)
                    {
                        return status;
                    }

                    // Also for one who never pauses.
                    if (LineTimeout != Timeout.InfiniteTimeSpan && Patience(line, timeout) == TimeSpan.Zero)
                    {
                        goto case ReadStatus.TimedOut;
                    }

                    break;
                case ReadStatus.TimedOut:
                    _lineOpen = true;
                    return LineStatus.TimedOut;
                case ReadStatus.Stopping:
                    _lineOpen = true;
                    return LineStatus.Stopping;
                case ReadStatus.Woken when line.IsEmpty:
                    return LineStatus.Woken;
                case ReadStatus.Woken:
                    // In the middle of a line it waits until the line is whole.
                    _wakeAfterLine = true;
                    break;
            }
        }
    }

    // Null when the line is not whole yet. What came of it is then in the line's own buffer, so that the pipe never has to hold it.
    private LineStatus? TryTakeLine(Line line, int maxLength, (ReadStatus Status, ReadOnlySequence<byte> Buffer) read)
    {
        if (read.Buffer.PositionOf((byte)'\n') is not { } end)
        {
            if (line.IsEmpty)
            {
                _lineStarted = Environment.TickCount64;
            }

            line.Append(read.Buffer, maxLength + 1);
            input.AdvanceTo(read.Buffer.End);
            return read.Status == ReadStatus.Closed ? LineStatus.Closed : null;
        }

        line.Append(read.Buffer.Slice(0, end), maxLength + 1);
        input.AdvanceTo(read.Buffer.GetPosition(1, end));
        line.TrimLineEnd();
        if (_wakeAfterLine)
        {
            _wakeAfterLine = false;
            input.Raise(ConnectionInput.Event.Woken);
        }

        return line.Overflowed || line.Length > maxLength ? LineStatus.TooLong : LineStatus.Line;
    }
}
