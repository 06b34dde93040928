using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Sorting;

/// <summary>Messages that stand together in the result of a SORT, from a position on; the first is 1 (RFC 5267 §4.3.3).</summary>
/// <param name="Position">When the parts before it in their list have been put in or taken out.</param>
/// <param name="Uids">In the order of the SORT.</param>
internal readonly record struct OrderedPart(int Position, List<uint> Uids);

/// <summary>
/// The result of a SORT as its client has been told it. Nothing that messages are sorted by ever changes, so that those that stay keep
/// their order: only what comes must be compared.
/// </summary>
/// <param name="uids">In the order of the SORT.</param>
internal sealed class UpdatedOrder(ImapSession session, IReadOnlyList<SortCriterion> criteria, uint[] uids)
{
    // So many times more are there already that it costs less to look for places than to sort all.
    private const int Few = 64;

    private uint[] _uids = uids;

    public int Count => _uids.Length;

    /// <summary>Takes messages out.</summary>
    public List<OrderedPart> Remove(UidSet removed)
    {
        var (parts, kept, part) = (new List<OrderedPart>(), new List<uint>(_uids.Length), default(List<uint>));
        foreach (var uid in _uids)
        {
            if (!removed.Contains(uid))
            {
                kept.Add(uid);
                part = null;
                continue;
            }

            if (part is null)
                parts.Add(new(kept.Count + 1, part = []));
            part.Add(uid);
        }

        _uids = [.. kept];
        return parts;
    }

    /// <summary>Puts messages in that were not there.</summary>
    /// <param name="added">UIDs.</param>
    public async ValueTask<List<OrderedPart>> AddAsync(MailboxView view, UidSet added)
    {
        if (added.IsEmpty)
            return [];
        var numbers = view.SequenceOfUids(added);
        var order = added.Count < _uids.Length / Few
            ? await InsertAsync(view, numbers).ConfigureAwait(false)
            : await SortAsync(view, numbers.Union(view.SequenceOfUids(UidSet.From(_uids)))).ConfigureAwait(false);
        var (parts, part) = (new List<OrderedPart>(), default(List<uint>));
        for (var i = 0; i < order.Length; i++)
        {
            if (!added.Contains(order[i]))
            {
                part = null;
                continue;
            }

            if (part is null)
                parts.Add(new(i + 1, part = []));
            part.Add(order[i]);
        }

        _uids = order;
        return parts;
    }

    private async ValueTask<uint[]> SortAsync(MailboxView view, UidSet numbers)
    {
        var sorter = await ReadAsync(view, numbers).ConfigureAwait(false);
        return Array.ConvertAll(sorter.Sort(), number => view[(int)number - 1].Uid);
    }

    private async ValueTask<Sorter> ReadAsync(MailboxView view, UidSet numbers) =>
        new(criteria, await SortedMessages.ReadAsync(session, view, numbers, criteria.Any(criterion => criterion.NeedsKeys)).ConfigureAwait(false));

    // The places of all are looked for together, by halving: what a round compares is read at once.
    private async ValueTask<uint[]> InsertAsync(MailboxView view, UidSet added)
    {
        var fresh = (await ReadAsync(view, added).ConfigureAwait(false)).Sort();
        var low = new int[fresh.Length];
        var high = new int[fresh.Length];
        Array.Fill(high, _uids.Length);
        while (MiddlesOf(view, low, high) is { IsEmpty: false } middles)
        {
            var sorter = await ReadAsync(view, middles.Union(added)).ConfigureAwait(false);
            for (var i = 0; i < fresh.Length; i++)
            {
                if (low[i] == high[i])
                    continue;
                var middle = (low[i] + high[i]) / 2;
                if (sorter.Compare(fresh[i], NumberAt(view, middle)) < 0)
                    high[i] = middle;
                else
                    low[i] = middle + 1;
            }
        }

        return Merged(view, fresh, low);
    }

    private UidSet MiddlesOf(MailboxView view, int[] low, int[] high) =>
        UidSet.From(low.Zip(high).Where(place => place.First < place.Second).Select(place => NumberAt(view, (place.First + place.Second) / 2)));

    private uint NumberAt(MailboxView view, int place) => (uint)view.IndexOf(_uids[place]) + 1;

    private uint[] Merged(MailboxView view, uint[] fresh, int[] places)
    {
        var order = new uint[_uids.Length + fresh.Length];
        var from = 0;
        for (var i = 0; i < fresh.Length; i++)
        {
            _uids.AsSpan(from, places[i] - from).CopyTo(order.AsSpan(from + i));
            from = places[i];
            order[from + i] = view[(int)fresh[i] - 1].Uid;
        }

        _uids.AsSpan(from).CopyTo(order.AsSpan(from + fresh.Length));
        return order;
    }
}
