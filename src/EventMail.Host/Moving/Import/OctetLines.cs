using Microsoft.Win32.SafeHandles;

namespace EventMail.Host.Moving.Import;

/// <summary>A file's lines, from any place on. A line that is longer than the buffer comes in pieces.</summary>
internal sealed class OctetLines(SafeFileHandle file, int bufferSize = OctetLines.DefaultBuffer)
{
    public const int DefaultBuffer = 256 * 1024;

    private readonly byte[] _buffer = new byte[bufferSize];
    private int _start;
    private int _end;
    private long _readTo;
    private bool _endsLine = true;

    /// <summary>Where <see cref="Line"/> begins in the file.</summary>
    public long LineAt { get; private set; }

    /// <summary>With its line end; valid until the next is read.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    /// <summary>False for a further piece of a long line.</summary>
    public bool StartsLine { get; private set; }

    /// <summary>The octet behind <see cref="Line"/>.</summary>
    public long Position => _readTo - (_end - _start);

    public long Length { get; } = RandomAccess.GetLength(file);

    /// <summary>False at the end of the file.</summary>
    public bool Next()
    {
        var length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n') + 1;
        if (length == 0)
        {
            var searched = _end - _start;
            _buffer.AsSpan(_start, searched).CopyTo(_buffer);
            (_start, _end) = (0, searched);
            while (_end < _buffer.Length && RandomAccess.Read(file, _buffer.AsSpan(_end), _readTo) is var count and > 0)
            {
                (_end, _readTo) = (_end + count, _readTo + count);
                if (_buffer.AsSpan(_end - count, count).Contains((byte)'\n'))
                    break;
            }
            length = _buffer.AsSpan(0, _end).IndexOf((byte)'\n') + 1;
            if (length == 0)
                length = _end;
        }
        if (length == 0)
        {
            Line = default;
            return false;
        }
        LineAt = Position;
        StartsLine = _endsLine;
        Line = _buffer.AsMemory(_start, length);
        _start += length;
        _endsLine = Line.Span[^1] == '\n';
        return true;
    }

    /// <summary>Goes on from a place where a line begins.</summary>
    public void Seek(long position)
    {
        (_start, _end, _readTo, _endsLine) = (0, 0, position, true);
        Line = default;
    }

    /// <summary>Octets at a place, without going there.</summary>
    public int Peek(long position, Span<byte> octets) => RandomAccess.Read(file, octets, position);
}
