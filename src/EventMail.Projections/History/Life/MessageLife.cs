using System.Runtime.CompilerServices;
using EventMail.EventStore;
using EventMail.Projections.History.Index;

namespace EventMail.Projections.History.Life;

/// <summary>
/// A message's whole life: from the RCPT or APPEND that brought it, over flags, copies, moves, delivery attempts and the notifications that it
/// caused, until nothing of it is left. Positions of the log are held in memory, the events are not.
/// </summary>
internal sealed class MessageLife(EventLog log, HistoryIndex index)
{
    // The index leads to more than belongs to it (bulk changes of its mailboxes, other mail of its session): the trail decides.
    public async IAsyncEnumerable<StoredEvent> ReadAsync(MessageTrail trail, long end, [EnumeratorCancellation] CancellationToken cancel)
    {
        var indexed = Math.Min(end, await index.PositionAsync(cancel).ConfigureAwait(false));
        var candidates = new SortedSet<long>();
        var life = new List<long>();
        var asked = new HashSet<(string, long)>();
        for (var known = -1L; known != trail.Known;)
        {
            known = trail.Known;
            if (indexed > 0)
                await AddCandidatesAsync(trail, asked, candidates, indexed, cancel).ConfigureAwait(false);
            life.Clear();
            await foreach (var e in EventsAsync([.. candidates], cancel).ConfigureAwait(false))
                if (trail.Follow(e))
                    life.Add(e.Sequence);
            await foreach (var e in log.Reader.ReadBetweenAsync(indexed, end, cancel).ConfigureAwait(false))
                if (trail.Follow(e))
                    life.Add(e.Sequence);
        }
        await foreach (var e in EventsAsync(life, cancel).ConfigureAwait(false))
            yield return e;
    }

    private async Task AddCandidatesAsync(
        MessageTrail trail, HashSet<(string, long)> asked, SortedSet<long> candidates, long upTo, CancellationToken cancel)
    {
        var key = await index.KeyAsync(cancel).ConfigureAwait(false);
        await AddAsync("message", trail.MessageIds.Concat(trail.Notices).Select(key.MessageId)).ConfigureAwait(false);
        await AddAsync("digest", trail.Digests.Select(key.Digest)).ConfigureAwait(false);
        await AddAsync("content", trail.Contents).ConfigureAwait(false);
        await AddAsync("session", trail.Sessions.Select(key.Session)).ConfigureAwait(false);
        await AddAsync("place", trail.Places.Select(place => key.Place(place.Mailbox, place.Uid))).ConfigureAwait(false);
        // Bulk changes, and the mailbox's own end.
        await AddAsync("place", trail.Places.Select(place => key.Place(place.Mailbox, 0))).ConfigureAwait(false);
        foreach (var delivery in trail.Deliveries)
        {
            await foreach (var e in log.Reader.ReadStreamAsync(delivery, cancel: cancel).ConfigureAwait(false))
                if (e.Sequence <= upTo)
                    candidates.Add(e.Sequence);
        }

        async Task AddAsync(string column, IEnumerable<long> terms)
        {
            long[] news = [.. terms.Where(term => asked.Add((column, term)))];
            if (news.Length == 0)
                return;
            for (var after = 0L; ;)
            {
                var page = await index.PageAsync([column], news, null, after, upTo, cancel).ConfigureAwait(false);
                candidates.UnionWith(page);
                if (page.Length == 0)
                    return;
                after = page[^1];
            }
        }
    }

    private async IAsyncEnumerable<StoredEvent> EventsAsync(IReadOnlyList<long> positions, [EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var page in positions.Chunk(HistoryIndex.PageSize))
        {
            foreach (var e in await log.Reader.ReadPositionsAsync(page, new(), cancel).ConfigureAwait(false))
                yield return e;
        }
    }
}
