namespace EventMail.Projections.SearchText;

/// <summary>Content numbers, a bit each, in pages: numbers run on. Emptied when it grows too large. Not thread-safe.</summary>
internal sealed class NumberSet
{
    private const int PageBits = 16;

    /// <summary>Pages of 8 KiB.</summary>
    public const int MaxPages = 4096;

    private readonly Dictionary<long, ulong[]> _pages = [];

    public bool Contains(long number) => _pages.TryGetValue(number >> PageBits, out var page) && (page[Word(number)] & Bit(number)) != 0;

    public void Add(long number)
    {
        if (!_pages.TryGetValue(number >> PageBits, out var page))
        {
            if (_pages.Count == MaxPages)
                _pages.Clear();
            _pages[number >> PageBits] = page = new ulong[1 << (PageBits - 6)];
        }
        page[Word(number)] |= Bit(number);
    }

    public void Clear() => _pages.Clear();

    private static int Word(long number) => (int)(number & ((1 << PageBits) - 1)) >> 6;

    private static ulong Bit(long number) => 1UL << (int)(number & 63);
}
