using System.Buffers;
using System.Runtime.ExceptionServices;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Wire;

namespace EventMail.Protocols.Imap.Grammar;

internal enum CommandStatus : byte
{
    /// <summary>A line is there: the command's first, or one more behind a literal.</summary>
    Line,

    /// <summary>Longer than the limit; of the line there are its beginning and its end, a literal's announcement perhaps.</summary>
    TooLong,

    /// <summary>The client stopped in the middle.</summary>
    TimedOut,

    /// <summary>Longer than what is read away of a line that is too long.</summary>
    Endless,

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
    // Of a line that is too long: a tag and a name, and a literal's announcement with its CR.
    private const int KeptHead = 128;
    private const int KeptTail = LiteralMarker.MaxLength + 1;

    private byte[] _buffer = [];
    private int _length;
    private int _lineStart;
    private bool _tooLong;
    private long _lineLength;
    private long _deadline;
    private bool _woken;
    private bool _secret;

    /// <summary>The command so far: lines with their CRLFs (the last one without) and literals.</summary>
    public ReadOnlySpan<byte> Text => _buffer.AsSpan(0, _length);

    /// <summary>Called when somebody wakes the connection in the middle of a command.</summary>
    public Func<ValueTask>? Woken { get; set; }

    /// <summary>What the client has switched on: the parsers of its commands know it.</summary>
    public Extensions Enabled { get; set; }

    /// <summary>When it is over whatever the client sends, by <see cref="Environment.TickCount64"/>.</summary>
    public long Cutoff { get; set; } = long.MaxValue;

    /// <summary>The announcement that the last line ends in, if it does: of a literal that is still to be read.</summary>
    public bool EndsInLiteral(out LiteralMarker marker) => LiteralMarker.TryFindAtEnd(Text[_lineStart..], out marker);

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
            read = await connection.ReadIdleAsync(idleTimeout).ConfigureAwait(false);
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

        _deadline = Deadline();
        if (TakeLine(read.Buffer))
            return LineStatus;
        return await ReadRestOfLineAsync().ConfigureAwait(false);
    }

    private long Deadline() => Math.Min(Cutoff, Environment.TickCount64 + (long)limits.CommandTimeout.TotalMilliseconds);

    private CommandStatus LineStatus => _tooLong ? CommandStatus.TooLong : CommandStatus.Line;

    /// <summary>Reads on behind a literal (or the beginning of a line) to the end of the line.</summary>
    public async ValueTask<CommandStatus> ReadRestOfLineAsync()
    {
        while (true)
        {
            var (status, input) = await ReadMoreAsync().ConfigureAwait(false);
            if (status != CommandStatus.Line)
                return status;
            if (TakeLine(input))
                return LineStatus;
            if (_lineLength > limits.MaxSkippedLine)
                return CommandStatus.Endless;
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

        StartLine(_length);
        return CommandStatus.Line;
    }

    private void StartLine(int at)
    {
        _lineStart = _length = at;
        _tooLong = false;
        _lineLength = 0;
    }

    /// <summary>
    /// Reads a literal that is not kept in the text: <paramref name="take"/> gets its octets piece by piece, or nobody does; then the
    /// rest of the line, which is all of the text from here on. What <paramref name="take"/> throws is thrown then, so that the
    /// connection goes on in step.
    /// </summary>
    public async ValueTask<CommandStatus> ReadOctetsAsync(long size, Func<ReadOnlyMemory<byte>, ValueTask>? take)
    {
        StartLine(0);
        ExceptionDispatchInfo? failure = null;
        while (size > 0)
        {
            // A message may take long; only silence is a fault.
            _deadline = Deadline();
            var (status, input) = await ReadMoreAsync().ConfigureAwait(false);
            if (status != CommandStatus.Line)
                return status;
            var part = input.Slice(0, Math.Min(size, input.Length));
            if (take is not null && failure is null)
                failure = await GiveAsync(part, take).ConfigureAwait(false);
            size -= part.Length;
            connection.AdvanceTo(part.End);
        }

        _deadline = Deadline();
        var end = await ReadRestOfLineAsync().ConfigureAwait(false);
        failure?.Throw();
        return end;
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

        StartLine(0);
        _secret = false;
        if (_woken)
        {
            _woken = false;
            connection.Wake();
        }
    }

    private async ValueTask<(CommandStatus Status, ReadOnlySequence<byte> Input)> ReadMoreAsync()
    {
        while (true)
        {
            var left = _deadline - Environment.TickCount64;
            if (left <= 0)
                return (CommandStatus.TimedOut, default);
            if (!connection.TryRead(out var read))
            {
                if (writer.Pending > 0)
                    await writer.FlushAsync().ConfigureAwait(false);
                read = await connection.ReadAsync(TimeSpan.FromMilliseconds(left)).ConfigureAwait(false);
            }

            var (status, input) = read;
            switch (status)
            {
                case ReadStatus.TimedOut:
                    return (CommandStatus.TimedOut, default);
                case ReadStatus.Woken:
                    _woken = true;
                    if (Woken is { } woken)
                        await woken().ConfigureAwait(false);
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
    private bool TakeLine(in ReadOnlySequence<byte> input)
    {
        var end = input.PositionOf((byte)'\n');
        var part = end is { } lineEnd ? input.Slice(0, lineEnd) : input;
        _tooLong |= part.Length + _length - _lineStart > limits.MaxLineLength + 1 || part.Length + _length > limits.MaxCommandSize + 1;
        _lineLength += part.Length;
        foreach (var memory in part)
        {
            if (_tooLong)
                AppendEnds(memory.Span);
            else
                Append(memory.Span);
        }

        connection.AdvanceTo(end is { } last ? input.GetPosition(1, last) : input.End);
        if (end is not null && _length > _lineStart && _buffer[_length - 1] == (byte)'\r')
            _length--;
        return end is not null;
    }

    private void AppendEnds(ReadOnlySpan<byte> bytes)
    {
        var head = Math.Clamp(KeptHead - (_length - _lineStart), 0, bytes.Length);
        Append(bytes[..head]);
        bytes = bytes[head..];
        Append(bytes[Math.Max(0, bytes.Length - KeptTail)..]);
        var surplus = _length - _lineStart - KeptHead - KeptTail;
        if (surplus <= 0)
            return;
        _buffer.AsSpan(_length - KeptTail, KeptTail).CopyTo(_buffer.AsSpan(_lineStart + KeptHead));
        _length -= surplus;
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
