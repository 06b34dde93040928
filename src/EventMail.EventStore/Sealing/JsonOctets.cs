namespace EventMail.EventStore;

/// <summary>JSON that grows, and may be cut back to what it was. Not thread-safe; used again and again.</summary>
internal sealed class JsonOctets
{
    // A larger buffer than this is not kept: one giant event must not hold its memory for good.
    private const int MaxKept = 1024 * 1024;

    private byte[] _octets = new byte[1024];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _octets.AsSpan(0, Length);

    public void Clear() => CutBack(0);

    public void CutBack(int length)
    {
        Length = length;
        if (length == 0 && _octets.Length > MaxKept)
            _octets = new byte[1024];
    }

    public void Write(ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(Room(octets.Length));
        Length += octets.Length;
    }

    /// <summary>So much room behind what is written; what is put there counts once it is <see cref="Take"/>n.</summary>
    public Span<byte> Room(int octets)
    {
        if (_octets.Length - Length < octets)
            Array.Resize(ref _octets, Math.Max(_octets.Length * 2, Length + octets));
        return _octets.AsSpan(Length, octets);
    }

    public void Take(int octets) => Length += octets;
}
