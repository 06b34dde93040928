using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace EventMail.Projections;

/// <summary>
/// What was derived from contents, in memory by content number, in pages of neighbouring numbers: reading takes no lock, an entry costs little beside its
/// bytes, and what is dropped is a page that nobody read since the hand of a clock last passed. Thread-safe.
/// </summary>
internal sealed class ContentCache(long capacity)
{
    private const int PageBits = 6;
    private const int PageSize = 1 << PageBits;

    // Bytes of a page without entries: its array, its objects, its place in the dictionary and in the clock.
    private const int PageCost = PageSize * 8 + 160;

    // Bytes of an array without its content.
    private const int EntryCost = 24;

    private sealed class Page(long number)
    {
        public readonly long Number = number;
        public readonly byte[]?[] Entries = new byte[]?[PageSize];
        public volatile bool Used;
        public long Bytes = PageCost;
    }

    private readonly ConcurrentDictionary<long, Page> _pages = new();
    private readonly Queue<Page> _clock = new();
    private readonly Lock _gate = new();
    private long _bytes;

    /// <summary>Bytes in use, with overheads.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public bool TryGet(long content, [NotNullWhen(true)] out byte[]? data)
    {
        data = null;
        if (!_pages.TryGetValue(content >> PageBits, out var page))
            return false;
        data = Volatile.Read(ref page.Entries[content & (PageSize - 1)]);
        if (data is null)
            return false;
        if (!page.Used)
            page.Used = true;
        return true;
    }

    public void Put(long content, byte[] data)
    {
        lock (_gate)
        {
            var number = content >> PageBits;
            if (!_pages.TryGetValue(number, out var page))
            {
                page = new(number);
                _pages[number] = page;
                _clock.Enqueue(page);
                _bytes += PageCost;
            }
            ref var entry = ref page.Entries[content & (PageSize - 1)];
            if (entry is not null)
                return;
            Volatile.Write(ref entry, data);
            page.Bytes += EntryCost + data.Length;
            _bytes += EntryCost + data.Length;
            Shrink(page);
        }
    }

    public void Remove(long content)
    {
        lock (_gate)
        {
            if (!_pages.TryGetValue(content >> PageBits, out var page))
                return;
            ref var entry = ref page.Entries[content & (PageSize - 1)];
            if (entry is null)
                return;
            var bytes = EntryCost + entry.Length;
            Volatile.Write(ref entry, null);
            page.Bytes -= bytes;
            _bytes -= bytes;
        }
    }

    private void Shrink(Page keep)
    {
        while (_bytes > capacity && _clock.Count > 1)
        {
            var page = _clock.Dequeue();
            if (page == keep || page.Used)
            {
                page.Used = page == keep;
                _clock.Enqueue(page);
                continue;
            }
            _pages.TryRemove(page.Number, out _);
            _bytes -= page.Bytes;
        }
    }
}
