using System.Runtime.CompilerServices;
using EventMail.EventStore;
using EventMail.Projections.History.Index;

namespace EventMail.Projections.History;

/// <summary>
/// Finds the events that a filter matches, in log order: along the most selective of what the index knows, along the streams of mailboxes,
/// or block by block; what the index has not come to yet is read from the log. Memory does not grow with what is found.
/// </summary>
internal sealed class EventFinder(EventLog log, HistoryIndex index)
{
    private static readonly string[] Names = ["name", "other_name"];

    /// <param name="after">Only above this position.</param>
    /// <param name="end">Up to this one, which is safe.</param>
    public async IAsyncEnumerable<StoredEvent> FindAsync(
        HistoryFilter filter, long after, long end, [EnumeratorCancellation] CancellationToken cancel)
    {
        var indexed = Math.Min(end, await index.PositionAsync(cancel).ConfigureAwait(false));
        var (from, to) = after < indexed ? await index.BetweenAsync(filter.Since, filter.Until, cancel).ConfigureAwait(false) : (0, 0);
        if (filter.Streams is { } streams && filter.Session is null && filter.Names is null && filter.Client is null)
        {
            var merged = new StreamMerge(log, [.. streams]).ReadAsync(Math.Max(after, Math.Min(from, indexed)), end, filter.Types, cancel);
            await foreach (var e in merged.ConfigureAwait(false))
            {
                if (filter.Matches(e))
                    yield return e;
            }
            yield break;
        }

        await foreach (var e in IndexedAsync(filter, Math.Max(after, from), Math.Min(indexed, to), cancel).ConfigureAwait(false))
        {
            if (filter.Matches(e))
                yield return e;
        }
        await foreach (var e in log.Reader.ReadBetweenAsync(Math.Max(after, indexed), end, cancel).ConfigureAwait(false))
        {
            if (filter.Matches(e))
                yield return e;
        }
    }

    private async IAsyncEnumerable<StoredEvent> IndexedAsync(
        HistoryFilter filter, long after, long upTo, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (after >= upTo)
            yield break;
        var found = await WayAsync(filter, cancel).ConfigureAwait(false) is var (columns, terms)
            ? AlongAsync(columns, terms, filter, after, upTo, cancel)
            : ByBlocksAsync(filter, after, upTo, cancel);
        await foreach (var e in found.ConfigureAwait(false))
            yield return e;
    }

    /// <summary>Null: nothing of it is in the index by itself.</summary>
    private async ValueTask<(string[] Columns, long[] Terms)?> WayAsync(HistoryFilter filter, CancellationToken cancel)
    {
        var key = await index.KeyAsync(cancel).ConfigureAwait(false);
        if (filter.Session is { } session)
            return (["session"], [key.Session(session)]);
        if (filter.Client is { } network && await index.ClientsAsync(network, cancel).ConfigureAwait(false) is { } clients)
            return (["client"], clients);
        if (filter.Names is { } names)
            return (Names, [.. names.Select(key.Name)]);
        return filter.Tenants is { } tenants ? (["account"], [.. tenants.Select(key.Account)]) : null;
    }

    private async IAsyncEnumerable<StoredEvent> AlongAsync(
        string[] columns, long[] terms, HistoryFilter filter, long after, long upTo, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (after < upTo)
        {
            var page = await index.PageAsync(columns, terms, filter.Types, after, upTo, cancel).ConfigureAwait(false);
            if (page.Length == 0)
                yield break;
            foreach (var e in await log.Reader.ReadPositionsAsync(page, Rough(filter), cancel).ConfigureAwait(false))
                yield return e;
            after = page[^1];
        }
    }

    private async IAsyncEnumerable<StoredEvent> ByBlocksAsync(
        HistoryFilter filter, long after, long upTo, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (after < upTo)
        {
            var blocks = await index.BlocksAsync(filter.Types, filter.Protocol, after, upTo, cancel).ConfigureAwait(false);
            foreach (var block in blocks)
            {
                var (from, to) = (Math.Max(after, HistoryBlock.First(block) - 1), Math.Min(upTo, HistoryBlock.First(block + 1) - 1));
                foreach (var e in await log.Reader.ReadStretchAsync(from, to, Rough(filter), cancel).ConfigureAwait(false))
                    yield return e;
                after = to;
            }
            if (blocks.Length < HistoryIndex.PageSize)
                yield break;
        }
    }

    // What the database can leave out before it answers.
    private static EventFilter Rough(HistoryFilter filter) => new()
    {
        Tenant = filter.Tenants is { Count: 1 } tenants ? tenants.First() : null,
        Types = filter.Types is null ? null : [.. filter.Types],
        Since = filter.Since,
        Until = filter.Until,
    };
}
