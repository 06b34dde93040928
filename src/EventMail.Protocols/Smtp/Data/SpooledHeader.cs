namespace EventMail.Protocols.Smtp.Data;

/// <summary>The header of a message that arrives in pieces of any size, in one piece: up to the first empty line and with it.</summary>
internal sealed class SpooledHeader(SpoolSpace space) : IDisposable
{
    private const int FirstSize = 4096;

    // Little is looked at in vain behind the empty line.
    private const int Step = 2048;

    private byte[] _octets = [];
    private int _length;

    /// <summary>The empty line has come: what follows is the body.</summary>
    public bool HasEmptyLine { get; private set; }

    /// <summary>It is longer than <see cref="SpoolSpace.MaxHeader"/>; the rest was not kept.</summary>
    public bool IsTooLong { get; private set; }

    public ReadOnlyMemory<byte> Octets => _octets.AsMemory(0, _length);

    /// <summary>Takes what belongs to the header.</summary>
    /// <returns>How much of the piece that was.</returns>
    public int Take(ReadOnlySpan<byte> piece)
    {
        var taken = 0;
        while (taken < piece.Length && !HasEmptyLine && !IsTooLong)
        {
            var part = piece.Slice(taken, Math.Min(Step, piece.Length - taken));
            var before = _length;
            Append(part);
            if (EmptyLineEnd(before) is var end and >= 0)
                (HasEmptyLine, _length) = (true, end);
            taken += _length - before;
            if (_length > space.MaxHeader)
                (IsTooLong, _length) = (true, space.MaxHeader);
        }
        return taken;
    }

    // As everywhere here a line also ends at a bare LF: what a reader of the stored message takes for the header is all of it.
    private int EmptyLineEnd(int from)
    {
        var octets = _octets.AsSpan(0, _length);
        for (var at = from; at < octets.Length; at++)
        {
            var next = octets[at..].IndexOf((byte)'\n');
            if (next < 0)
                return -1;
            at += next;
            var line = octets[..at];
            if (line.EndsWith((byte)'\r'))
                line = line[..^1];
            if (line.IsEmpty || line[^1] == (byte)'\n')
                return at + 1;
        }
        return -1;
    }

    private void Append(ReadOnlySpan<byte> part)
    {
        if (_octets.Length - _length < part.Length)
        {
            var larger = space.Rent(Math.Max(FirstSize, 2 * (_length + part.Length)));
            _octets.AsSpan(0, _length).CopyTo(larger);
            Dispose();
            _octets = larger;
        }
        part.CopyTo(_octets.AsSpan(_length));
        _length += part.Length;
    }

    public void Dispose()
    {
        if (_octets.Length > 0)
            space.Return(_octets);
        _octets = [];
    }
}
