using EventMail.Domain.Messages;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Sorting;

/// <summary>Sort keys by content number in memory, derived from the summaries when they are asked for first. Thread-safe.</summary>
public sealed class MessageSortKeys(MessageSummaries summaries, ContentStore contents, long cacheBytes = MessageSortKeys.DefaultCacheBytes)
{
    /// <summary>Bytes of keys in memory unless told otherwise: those of some 400,000 messages.</summary>
    public const long DefaultCacheBytes = 128L * 1024 * 1024;

    private readonly ContentCache _cache = new(cacheBytes);

    /// <summary>The keys of all of them, in their order.</summary>
    /// <param name="goneIsEmpty">A message of the past whose content is not kept any more is compared as one with an empty header.</param>
    /// <exception cref="ContentUnreadableException">One of them is missing, or cannot be read.</exception>
    public async ValueTask<SortKeys[]> GetAsync(ReadOnlyMemory<long> numbers, bool goneIsEmpty, CancellationToken cancel)
    {
        var keys = new SortKeys[numbers.Length];
        for (var start = 0; start < numbers.Length; start += MessageSummaries.PrefetchWindow)
        {
            var window = numbers.Slice(start, Math.Min(MessageSummaries.PrefetchWindow, numbers.Length - start));
            if (TryGet(window.Span, keys.AsSpan(start)))
                continue;
            await summaries.PrefetchAsync(window, cancel);
            for (var i = 0; i < window.Length; i++)
            {
                if (keys[start + i].Data is null)
                    keys[start + i] = await DeriveAsync(window.Span[i], goneIsEmpty, cancel);
            }
        }
        return keys;
    }

    private bool TryGet(ReadOnlySpan<long> numbers, Span<SortKeys> keys)
    {
        var all = true;
        for (var i = 0; i < numbers.Length; i++)
        {
            if (_cache.TryGet(numbers[i], out var data))
                keys[i] = new(data);
            else
                all = false;
        }
        return all;
    }

    private async ValueTask<SortKeys> DeriveAsync(long number, bool goneIsEmpty, CancellationToken cancel)
    {
        try
        {
            return await DeriveAsync(number, cancel);
        }
        catch (ContentMissingException) when (goneIsEmpty)
        {
            return SortKeys.Of([]);
        }
    }

    private async ValueTask<SortKeys> DeriveAsync(long number, CancellationToken cancel)
    {
        var summary = await summaries.GetAsync(number, cancel);
        var keys = summary.HeaderLines is { } lines ? SortKeys.Of(lines.Span) : await ReadAsync(number, summary, cancel);
        _cache.Put(number, keys.Data);
        return keys;
    }

    // The header is too long for a summary.
    private async ValueTask<SortKeys> ReadAsync(long number, MessageSummary summary, CancellationToken cancel)
    {
        await using var content = await contents.ReadAsync(number, cancel);
        var header = new byte[(int)Math.Min(summary.Parts.Root.HeaderLength, MessageLimits.Default.MaxHeaderBytes)];
        var length = await content.ReadAtAsync(0, header, cancel);
        return SortKeys.Of(header.AsSpan(0, length));
    }
}
