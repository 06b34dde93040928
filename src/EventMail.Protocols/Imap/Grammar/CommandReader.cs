using System.Buffers;
using System.Runtime.ExceptionServices;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Imap.Grammar;

internal enum CommandStatus : byte
{
    /// <summary>A line is there: the command's first, or one more behind a literal.</summary>
    Line,

    /// <summary>Longer than the limit; skipped to its end.</summary>
    TooLong,

    /// <summary>The client stopped in the middle.</summary>
    TimedOut,

    Closed,

    // Only before a command's first octet:
    Idle,
    Stopping,
    Woken,
}

/// <summary>
/// Puts a command together, its literals in place, in a pooled buffer that exists only while there is one. Not thread-safe.
/// </summary>
internal sealed class CommandReader(MailConnection connection, ImapWriter writer, ImapLimits limits)
{
    private byte[] _buffer = [];
    private int _length;
    private int _lineStart;
    private long _deadline;
    private bool _woken;
    private bool _secret;

    /// <summary>The command so far: lines with their CRLFs (the last one without) and literals.</summary>
    public ReadOnlySpan<byte> Text => _buffer.AsSpan(0, _length);

    /// <summary>The announcement that the text ends in, if it does.</summary>
    public bool EndsInLiteral(out LiteralMarker marker) => LiteralMarker.TryFindAtEnd(Text, out marker);

    /// <summary>A credential is in the buffer: it is wiped when it goes back to the pool.</summary>
    public void HoldsSecret() => _secret = true;

    /// <summary>Waits for a command and reads its first line. What was written is sent before waiting.</summary>
    public async ValueTask<CommandStatus> ReadLineAsync(TimeSpan idleTimeout)
    {
        Clear();
        if (!connection.TryRead(out var read))
        {
            if (writer.Pending > 0)
                await writer.FlushAsync().ConfigureAwait(false);
            // The one place where a session spends its life: nothing is rented, few frames are held.
            read = await connection.ReadAsync(idleTimeout).ConfigureAwait(false);
        }

        switch (read.Status)
        {
            case ReadStatus.TimedOut:
                return CommandStatus.Idle;
            case ReadStatus.Stopping:
                return CommandStatus.Stopping;
            case ReadStatus.Woken:
                return CommandStatus.Woken;
        }

        if (read.Buffer.IsEmpty)
        {
            connection.AdvanceTo(read.Buffer.End);
            return CommandStatus.Closed;
        }

        _deadline = Environment.TickCount64 + (long)limits.CommandTimeout.TotalMilliseconds;
        if (TakeLine(read.Buffer, out var tooLong))
            return tooLong ? CommandStatus.TooLong : CommandStatus.Line;
        return await FinishLineAsync(tooLong).ConfigureAwait(false);
    }

    /// <summary>Reads on behind a literal (or the beginning of a line) to the end of the line.</summary>
    public ValueTask<CommandStatus> ReadRestOfLineAsync() => FinishLineAsync(tooLong: false);

    private async ValueTask<CommandStatus> FinishLineAsync(bool tooLong)
    {
        while (true)
        {
            var (status, input) = await ReadMoreAsync().ConfigureAwait(false);
            if (status != CommandStatus.Line)
                return status;
            var complete = TakeLine(input, out var longer);
            tooLong |= longer;
            if (complete)
                return tooLong ? CommandStatus.TooLong : CommandStatus.Line;
        }
    }

    /// <summary>Reads a literal into the text. Its size has been checked.</summary>
    public async ValueTask<CommandStatus> ReadLiteralAsync(int size)
    {
        Append("\r\n"u8);
        while (size > 0)
        {
            var (status, input) = await ReadMoreAsync().ConfigureAwait(false);
            if (status != CommandStatus.Line)
                return status;
            var part = input.Slice(0, Math.Min(size, input.Length));
            foreach (var memory in part)
                Append(memory.Span);
            size -= (int)part.Length;
            connection.AdvanceTo(part.End);
        }

        _lineStart = _length;
        return CommandStatus.Line;
    }

    /// <summary>
    /// Reads octets that are not kept in the text: <paramref name="take"/> gets them piece by piece, or nobody does. What it
    /// throws is thrown when they have all been read, so that the connection goes on in step.
    /// </summary>
    public async ValueTask<CommandStatus> ReadOctetsAsync(long size, Func<ReadOnlyMemory<byte>, ValueTask>? take)
    {
        ExceptionDispatchInfo? failure = null;
        while (size > 0)
        {
            // A message may take long; only silence is a fault.
            _deadline = Environment.TickCount64 + (long)limits.CommandTimeout.TotalMilliseconds;
            var (status, input) = await ReadMoreAsync().ConfigureAwait(false);
            if (status != CommandStatus.Line)
                return status;
            var part = input.Slice(0, Math.Min(size, input.Length));
            if (take is not null && failure is null)
                failure = await GiveAsync(part, take).ConfigureAwait(false);
            size -= part.Length;
            connection.AdvanceTo(part.End);
        }

        failure?.Throw();

        _deadline = Environment.TickCount64 + (long)limits.CommandTimeout.TotalMilliseconds;
        return CommandStatus.Line;
    }

    private static async ValueTask<ExceptionDispatchInfo?> GiveAsync(ReadOnlySequence<byte> part, Func<ReadOnlyMemory<byte>, ValueTask> take)
    {
        try
        {
            foreach (var memory in part)
                await take(memory).ConfigureAwait(false);
            return null;
        }
        catch (Exception error)
        {
            return ExceptionDispatchInfo.Capture(error);
        }
    }

    /// <summary>Gives the buffer back. Wake-ups that came in the middle of the command are heard now.</summary>
    public void Clear()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: _secret);
            _buffer = [];
        }

        _length = _lineStart = 0;
        _secret = false;
        if (_woken)
        {
            _woken = false;
            connection.Wake();
        }
    }

    /// <summary>Forgets the text before the last line's literal, so that a command can go on without end (MULTIAPPEND).</summary>
    public void StartOver() => _length = _lineStart = 0;

    private async ValueTask<(CommandStatus Status, ReadOnlySequence<byte> Input)> ReadMoreAsync()
    {
        while (true)
        {
            var left = _deadline - Environment.TickCount64;
            if (left <= 0)
                return (CommandStatus.TimedOut, default);
            var (status, input) = await connection.ReadAsync(TimeSpan.FromMilliseconds(left)).ConfigureAwait(false);
            switch (status)
            {
                case ReadStatus.TimedOut:
                    return (CommandStatus.TimedOut, default);
                case ReadStatus.Woken:
                    _woken = true;
                    continue;
                case ReadStatus.Stopping:
                    // The command in progress is finished first; the session asks IsStopping behind it.
                    continue;
            }

            if (!input.IsEmpty)
                return (CommandStatus.Line, input);
            connection.AdvanceTo(input.End);
            return (CommandStatus.Closed, default);
        }
    }

    // True when the line is complete. A bare LF ends a line too: people type commands by hand, and nothing is smuggled by it here.
    private bool TakeLine(in ReadOnlySequence<byte> input, out bool tooLong)
    {
        var end = input.PositionOf((byte)'\n');
        var part = end is { } lineEnd ? input.Slice(0, lineEnd) : input;
        tooLong = part.Length + _length - _lineStart > limits.MaxLineLength + 1 || part.Length + _length > limits.MaxCommandSize + 1;
        if (!tooLong)
        {
            foreach (var memory in part)
                Append(memory.Span);
        }

        connection.AdvanceTo(end is { } last ? input.GetPosition(1, last) : input.End);
        if (end is not null && !tooLong && _length > 0 && _buffer[_length - 1] == (byte)'\r')
            _length--;
        return end is not null;
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (_buffer.Length < _length + bytes.Length)
            Grow(_length + bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Grow(int size)
    {
        var bigger = ArrayPool<byte>.Shared.Rent(Math.Max(size, Math.Max(256, _buffer.Length * 2)));
        Text.CopyTo(bigger);
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = bigger;
    }
}
