namespace EventMail.Domain.Messages;

/// <summary>
/// Push parser of MIME messages (RFC 5322, RFC 2045, RFC 2046). Feed the bytes in any pieces and call
/// <see cref="Finish"/>: the result does not depend on the pieces. No input makes it throw; time is linear, memory is
/// bounded by <see cref="MessageLimits"/>; bodies are never kept. Not safe for concurrent use.
/// </summary>
/// <remarks>
/// Lines end in CRLF or LF; a CR alone is content. A header ends at an empty line, at a boundary line of an enclosing
/// multipart, or with the message; a line without a colon is kept as a nameless field.
/// </remarks>
public sealed class MessageReader
{
    private enum State : byte
    {
        Header,
        Body,
        BoundaryLine,
    }

    // "--", the boundary, "--", and enough behind it to tell a whole-line match from a prefix.
    private readonly int _lineWindow;
    private readonly MessageLimits _limits;
    private readonly HeaderBuffer _headers;
    private readonly BoundaryStack _boundaries = new();
    private readonly MessagePart _root;
    private readonly byte[] _carry;
    private MessagePart _part;
    private State _state = State.Header;
    private int _carryLength;
    private bool _atLineStart = true;
    private bool _boundaryOpensPart;
    private byte _previous;
    private bool _crBeforeLineStart;
    private long _position;
    private long _lines;
    private int _partCount = 1;
    private Message? _result;

    public MessageReader(MessageLimits limits)
    {
        _limits = limits;
        _lineWindow = limits.MaxBoundaryLength + 8;
        _carry = new byte[_lineWindow];
        _headers = new HeaderBuffer(limits);
        _part = _root = new MessagePart(null, 0, 0);
        BeginHeader();
    }

    /// <summary>Bytes looked at or compared, counted for the tests that show linear work.</summary>
    internal long Work { get; private set; }

    internal long TotalWork => Work + _boundaries.Compared;

    public static Message Read(ReadOnlySpan<byte> all) => Read(all, MessageLimits.Default);

    public static Message Read(ReadOnlySpan<byte> all, MessageLimits limits)
    {
        var reader = new MessageReader(limits);
        reader.Feed(all);
        return reader.Finish();
    }

    public void Feed(ReadOnlySpan<byte> chunk)
    {
        if (_result is not null)
            throw new InvalidOperationException("Finish was called.");
        while (!chunk.IsEmpty)
        {
            var taken = _atLineStart ? TakeLineStart(chunk) : TakeRestOfLine(chunk);
            Work += taken;
            chunk = chunk[taken..];
        }
    }

    /// <summary>Ends the message. May be called again and returns the same result.</summary>
    public Message Finish()
    {
        if (_result is not null)
            return _result;
        if (_carryLength > 0)
            DecideLineStart(_carry.AsSpan(0, _carryLength), carried: true);
        while (_state == State.Header)
            EndHeader(atBoundary: false);
        CloseParts(null, _position, _lines);
        var (bytes, fields) = _headers.Detach();
        _result = new Message(_root, bytes, fields, _position, _limits);
        _root.Attach(_result);
        return _result;
    }

    /// <summary>
    /// The first bytes of a line decide what it is. Once there are enough of them, the line is taken from the chunk, or
    /// from the carry buffer where earlier chunks ended inside the undecided beginning.
    /// </summary>
    private int TakeLineStart(ReadOnlySpan<byte> chunk)
    {
        if (_carryLength == 0)
        {
            if (IsDecidable(chunk, 0))
                return DecideLineStart(chunk, carried: false);
            chunk.CopyTo(_carry);
            _carryLength = chunk.Length;
            return chunk.Length;
        }
        // One byte at a time: at most a window's length for each chunk.
        var taken = 0;
        while (taken < chunk.Length)
        {
            _carry[_carryLength++] = chunk[taken++];
            if (!IsDecidable(_carry.AsSpan(0, _carryLength), _carryLength - 1))
                continue;
            DecideLineStart(_carry.AsSpan(0, _carryLength), carried: true);
            break;
        }
        return taken;
    }

    private bool IsDecidable(ReadOnlySpan<byte> line, int alreadySeen)
    {
        switch (line[0])
        {
            case (byte)'-' when _boundaries.Count > 0:
                if (line.Length < 2)
                    return false;
                return line[1] != (byte)'-' || line.Length >= _lineWindow || line[alreadySeen..].Contains((byte)'\n');
            case (byte)'\r' when _state == State.Header:
                return line.Length > 1;
            default:
                return true;
        }
    }

    /// <summary>Returns how many bytes of the line's beginning were taken; all of them when they come from the carry.</summary>
    private int DecideLineStart(ReadOnlySpan<byte> line, bool carried)
    {
        _carryLength = 0;
        _atLineStart = false;
        if (_boundaries.Count > 0 && line.StartsWith("--"u8) && TryTakeBoundary(line, out var taken))
        {
        }
        else if (_state == State.Header && EmptyLineLength(line) is > 0 and var emptyLength)
        {
            _headers.EndField();
            _headers.Append(line[..emptyLength]);
            Advance(line[..emptyLength]);
            EndHeader(atBoundary: false);
            taken = emptyLength;
        }
        else
        {
            if (_state == State.Header && !Ascii.IsWsp(line[0]))
                _headers.BeginField(_position);
            taken = carried ? 0 : TakeRestOfLine(line);
        }
        // What the carry holds beyond the decision is ordinary content of this or, at its end, of no further line.
        while (carried && taken < line.Length)
            taken += TakeRestOfLine(line[taken..]);
        return taken;
    }

    private static int EmptyLineLength(ReadOnlySpan<byte> line) =>
        line[0] == (byte)'\n' ? 1 : line.StartsWith("\r\n"u8) ? 2 : 0;

    private bool TryTakeBoundary(ReadOnlySpan<byte> line, out int taken)
    {
        var window = line[..Math.Min(line.Length, _lineWindow)];
        var end = window.IndexOf((byte)'\n');
        var content = end < 0 ? window : window[..end];
        if (end > 0 && content[^1] == (byte)'\r')
            content = content[..^1];
        taken = 0;
        if (!_boundaries.TryMatch(content[2..], out var index, out var closing))
            return false;
        // Past the limit a further part is content of the last one.
        if (!closing && _partCount >= _limits.MaxParts)
            return false;

        var multipart = _boundaries.PartAt(index);
        var lineEnd = LineEndBefore(multipart);
        if (_state == State.Header)
        {
            _headers.Trim(_part.HeaderBufferOffset, lineEnd);
            EndHeader(atBoundary: true);
        }
        CloseParts(multipart, _position - lineEnd, lineEnd > 0 ? _lines - 1 : _lines);
        _boundaries.CloseTo(index, closing);
        _part = multipart;
        _state = State.BoundaryLine;
        _boundaryOpensPart = !closing;
        // The boundary itself; the rest of its line (padding, RFC 2046 §5.1.1) follows in the state BoundaryLine.
        taken = 2;
        Advance(line[..2]);
        return true;
    }

    /// <summary>
    /// RFC 2046 §5.1.1: the line end before a boundary is part of the boundary, not of the part that it ends; if that part
    /// has no body at all, the line end is that of its blank line or of its last header line.
    /// </summary>
    private int LineEndBefore(MessagePart multipart)
    {
        if (_part == multipart)
            return 0;
        var part = _part;
        while (part.Parent != multipart)
            part = part.Parent!;
        var available = _position - part.HeaderOffset;
        return available == 0 ? 0 : _crBeforeLineStart && available > 1 ? 2 : 1;
    }

    private int TakeRestOfLine(ReadOnlySpan<byte> chunk)
    {
        if (_state == State.Body)
            return TakeBody(chunk);
        var end = chunk.IndexOf((byte)'\n');
        var taken = end < 0 ? chunk.Length : end + 1;
        if (_state == State.Header)
            _headers.Append(chunk[..taken]);
        Advance(chunk[..taken]);
        if (end >= 0 && _state == State.BoundaryLine)
            EndBoundaryLine();
        return taken;
    }

    private int TakeBody(ReadOnlySpan<byte> chunk)
    {
        var taken = chunk.Length;
        if (_boundaries.Count > 0)
        {
            // Only lines that begin with a hyphen can be boundaries.
            var candidate = chunk.IndexOf("\n-"u8);
            if (candidate >= 0)
                taken = candidate + 1;
        }
        AdvanceBody(chunk[..taken]);
        return taken;
    }

    private void AdvanceBody(ReadOnlySpan<byte> bytes)
    {
        _lines += bytes.Count((byte)'\n');
        _position += bytes.Length;
        if (bytes[^1] == (byte)'\n')
        {
            _atLineStart = true;
            _crBeforeLineStart = (bytes.Length > 1 ? bytes[^2] : _previous) == (byte)'\r';
        }
        _previous = bytes[^1];
    }

    /// <summary>Accounts for bytes that contain at most one line end, at their end.</summary>
    private void Advance(ReadOnlySpan<byte> bytes)
    {
        _position += bytes.Length;
        if (bytes[^1] == (byte)'\n')
        {
            _lines++;
            _atLineStart = true;
            _crBeforeLineStart = (bytes.Length > 1 ? bytes[^2] : _previous) == (byte)'\r';
        }
        _previous = bytes[^1];
    }

    private void BeginHeader()
    {
        _state = State.Header;
        _atLineStart = true;
        _part.HeaderBufferOffset = _headers.Length;
        _part.FirstField = _headers.FieldCount;
    }

    private void EndHeader(bool atBoundary)
    {
        var part = _part;
        _headers.EndField();
        part.HeaderLength = _position - part.HeaderOffset;
        part.LinesBeforeBody = _lines;
        part.HeaderBufferLength = _headers.Length - part.HeaderBufferOffset;
        part.FieldCount = _headers.FieldCount - part.FirstField;
        var boundary = _headers.Classify(part);
        _state = State.Body;
        if (part.Kind == PartKind.Basic || part.Kind == PartKind.Text || part.IsEncodedMessage || atBoundary)
            return;
        if (part.Depth + 1 >= _limits.MaxNestingDepth || (part.Kind == PartKind.Message && _partCount >= _limits.MaxParts))
        {
            part.Kind = PartKind.Basic;
            part.IsOpaque = true;
        }
        else if (part.Kind == PartKind.Message)
        {
            OpenPart();
        }
        else if (boundary is not null)
        {
            _boundaries.Push(boundary, part);
        }
    }

    private void EndBoundaryLine()
    {
        if (_boundaryOpensPart)
            OpenPart();
        else
            _state = State.Body;
    }

    private void OpenPart()
    {
        var child = new MessagePart(_part, _part.Depth + 1, _position);
        _part.Add(child);
        _part = child;
        _partCount++;
        BeginHeader();
    }

    /// <summary>Ends every open part below <paramref name="ancestor"/> (null: all) at one place.</summary>
    private void CloseParts(MessagePart? ancestor, long end, long lines)
    {
        for (var part = _part; part is not null && part != ancestor; part = part.Parent)
        {
            if (part.BodyOffset > end)
                part.CutHeader(end, lines);
            part.BodyLength = end - part.BodyOffset;
            part.BodyLines = lines - part.LinesBeforeBody;
        }
    }
}
