namespace EventMail.Projections.Retention;

/// <summary>The contents that messages name now: a bit for each number, in pages. 1,000,000 of them take 128 KiB.</summary>
internal sealed class LivingContents
{
    // Numbers of a page.
    private const int PageBits = 16;
    private const int WordBits = 6;

    private readonly Dictionary<long, ulong[]> _pages = [];

    public void Add(long content)
    {
        if (!_pages.TryGetValue(content >> PageBits, out var page))
            _pages[content >> PageBits] = page = new ulong[1 << (PageBits - WordBits)];
        page[(content >> WordBits) & (page.Length - 1)] |= 1UL << (int)(content & 63);
    }

    public bool Contains(long content) =>
        _pages.TryGetValue(content >> PageBits, out var page) && (page[(content >> WordBits) & (page.Length - 1)] & (1UL << (int)(content & 63))) != 0;
}
