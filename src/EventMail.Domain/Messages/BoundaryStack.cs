namespace EventMail.Domain.Messages;

/// <summary>The boundaries of the multiparts that are open, outermost first.</summary>
internal sealed class BoundaryStack
{
    private readonly record struct Entry(byte[] Boundary, MessagePart Part);

    private readonly List<Entry> _entries = [];

    public int Count => _entries.Count;

    /// <summary>Bytes compared so far, for the tests that show linear work.</summary>
    public long Compared { get; private set; }

    public void Push(byte[] boundary, MessagePart part) => _entries.Add(new Entry(boundary, part));

    /// <summary>
    /// RFC 2046 §5.1.1: only the beginning of a line is compared with the boundary. Where several open boundaries
    /// match, the longest is meant, and of equal ones the innermost; a whole-line match is never beaten.
    /// </summary>
    /// <param name="line">The line after "--", without its end.</param>
    public bool TryMatch(ReadOnlySpan<byte> line, out int index, out bool closing)
    {
        index = -1;
        closing = false;
        var best = -1;
        for (var i = _entries.Count - 1; i >= 0; i--)
        {
            var boundary = _entries[i].Boundary;
            Compared += Math.Min(boundary.Length, line.Length);
            if (boundary.Length <= best || !line.StartsWith(boundary))
                continue;
            best = boundary.Length;
            index = i;
            if (line.Length == best || (line.Length == best + 2 && line.EndsWith("--"u8)))
                break;
        }
        if (index < 0)
            return false;
        closing = line[best..].StartsWith("--"u8);
        return true;
    }

    public MessagePart PartAt(int index) => _entries[index].Part;

    /// <summary>Forgets the boundaries inside the one that matched, and that one itself when it was closed.</summary>
    public void CloseTo(int index, bool closing)
    {
        var keep = closing ? index : index + 1;
        _entries.RemoveRange(keep, _entries.Count - keep);
    }
}
