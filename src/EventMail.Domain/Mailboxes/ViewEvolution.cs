using System.Runtime.InteropServices;

namespace EventMail.Domain.Mailboxes;

/// <summary>How events turn one view into the next.</summary>
internal static class ViewEvolution
{
    // Two neighbours that an expunge left this small together become one chunk.
    private const int MergeBelow = Chunk.Capacity / 2;

    public static MailboxView ChangeFlags(MailboxView view, IReadOnlyList<FlagChange> changes, long version, FlagTable flags)
    {
        var markings = new Chunk.Marking?[view.ChunkCount];
        foreach (var change in changes)
        {
            // A keyword that found the table full has no bit: the log names it, the mailbox does not keep it.
            var bit = flags.BitOf(change.Flag);
            if (bit < 0)
                continue;
            Mark(view, markings, UidSet.Parse(change.Added), 1UL << bit, set: true, version);
            Mark(view, markings, UidSet.Parse(change.Removed), 1UL << bit, set: false, version);
        }
        return view.Remarked(markings, version, flags);
    }

    private static void Mark(MailboxView view, Chunk.Marking?[] markings, UidSet uids, ulong bits, bool set, long version)
    {
        foreach (var range in uids.Ranges)
        {
            for (var i = Math.Max(0, view.ChunkOfUid(range.First)); i < markings.Length; i++)
            {
                var chunk = view.ChunkAt(i);
                if (chunk.FirstUid > range.Last)
                    break;
                var from = chunk.LowerBound(range.First);
                var to = range.Last >= chunk.LastUid ? chunk.Count : chunk.LowerBound(range.Last + 1);
                if (from >= to)
                    continue;
                var marking = markings[i] ??= new(chunk);
                if (set)
                    marking.Set(from, to, bits, version);
                else
                    marking.Clear(from, to, bits, version);
            }
        }
    }

    public static MailboxView Expunge(MailboxView view, UidSet uids, long version)
    {
        var chunks = new List<Chunk>(view.ChunkCount);
        var rows = new List<MessageRow>();
        var range = 0;
        var lastWasTouched = false;
        for (var i = 0; i < view.ChunkCount; i++)
        {
            var chunk = view.ChunkAt(i);
            while (range < uids.Ranges.Length && uids.Ranges[range].Last < chunk.FirstUid)
                range++;
            rows.Clear();
            var touched = range < uids.Ranges.Length && uids.Ranges[range].First <= chunk.LastUid && TakeSurvivors(chunk, uids, range, rows);
            var count = touched ? rows.Count : chunk.Count;
            if (count == 0)
                continue;
            var merge = (touched || lastWasTouched) && chunks.Count > 0 && chunks[^1].Count + count <= MergeBelow;
            if (merge)
            {
                if (!touched)
                    AddRows(chunk, 0, chunk.Count, rows);
                chunks[^1] = Merged(chunks[^1], rows);
                lastWasTouched = true;
            }
            else
            {
                chunks.Add(touched ? Chunk.Of(CollectionsMarshal.AsSpan(rows)) : chunk);
                lastWasTouched = touched;
            }
        }
        return MailboxView.FromChunks(chunks, view.UidNext, version, view.Flags);
    }

    /// <summary>False when nothing of the chunk goes.</summary>
    private static bool TakeSurvivors(Chunk chunk, UidSet uids, int range, List<MessageRow> rows)
    {
        var next = 0;
        for (; range < uids.Ranges.Length && uids.Ranges[range].First <= chunk.LastUid; range++)
        {
            var gone = uids.Ranges[range];
            var from = chunk.LowerBound(gone.First);
            AddRows(chunk, next, from, rows);
            next = gone.Last >= chunk.LastUid ? chunk.Count : chunk.LowerBound(gone.Last + 1);
        }
        AddRows(chunk, next, chunk.Count, rows);
        return rows.Count < chunk.Count;
    }

    private static void AddRows(Chunk chunk, int from, int to, List<MessageRow> rows)
    {
        for (var i = from; i < to; i++)
            rows.Add(chunk[i]);
    }

    private static Chunk Merged(Chunk first, List<MessageRow> rows)
    {
        var all = new List<MessageRow>(first.Count + rows.Count);
        AddRows(first, 0, first.Count, all);
        all.AddRange(rows);
        return Chunk.Of(CollectionsMarshal.AsSpan(all));
    }

    /// <summary>The same messages in fewer chunks, where neighbours are small.</summary>
    public static List<Chunk> Packed(IEnumerable<Chunk> chunks)
    {
        var (packed, small, count) = (new List<Chunk>(), new List<Chunk>(), 0);
        foreach (var chunk in chunks)
        {
            if (count > 0 && count + chunk.Count > MergeBelow)
                Take();
            small.Add(chunk);
            count += chunk.Count;
        }
        if (count > 0)
            Take();
        return packed;

        void Take()
        {
            packed.Add(Chunk.Join(CollectionsMarshal.AsSpan(small)));
            small.Clear();
            count = 0;
        }
    }

    public static MailboxView KeepExpunged(MailboxView known, MailboxView current)
    {
        // At the same version it is the same mailbox, expunged messages kept or not.
        if (known.HighestModSeq == current.HighestModSeq)
            return known;
        var gone = ViewDiff.VanishedBetween(known, current);
        if (gone.IsEmpty)
            return current;
        var chunks = new List<Chunk>(current.ChunkCount + 1);
        var rows = new List<MessageRow>();
        var kept = gone.GetEnumerator();
        var more = kept.MoveNext();
        for (var i = 0; i < current.ChunkCount; i++)
        {
            var chunk = current.ChunkAt(i);
            if (!more || kept.Current > chunk.LastUid)
            {
                chunks.Add(chunk);
                continue;
            }
            rows.Clear();
            for (var k = 0; k < chunk.Count; k++)
            {
                for (; more && kept.Current < chunk.Uids[k]; more = kept.MoveNext())
                    rows.Add(known[known.IndexOf(kept.Current)]);
                rows.Add(chunk[k]);
            }
            AddChunks(rows, chunks);
        }
        rows.Clear();
        for (; more; more = kept.MoveNext())
            rows.Add(known[known.IndexOf(kept.Current)]);
        AddChunks(rows, chunks);
        return MailboxView.FromChunks(chunks, current.UidNext, current.HighestModSeq, current.Flags);
    }

    public static MailboxView TakeOnly(MailboxView known, MailboxView current, UidSet uids)
    {
        if (IsAll(ViewDiff.Between(known, current), current, uids))
            return current;
        var chunks = new List<Chunk>(known.ChunkCount);
        var rows = new List<MessageRow>();
        for (var i = 0; i < known.ChunkCount; i++)
        {
            var chunk = known.ChunkAt(i);
            if (uids.Intersect(UidSet.OfRange(chunk.FirstUid, chunk.LastUid)).IsEmpty)
            {
                chunks.Add(chunk);
                continue;
            }
            rows.Clear();
            for (var k = 0; k < chunk.Count; k++)
            {
                if (!uids.Contains(chunk.Uids[k]))
                    rows.Add(chunk[k]);
                else if (current.IndexOf(chunk.Uids[k]) is >= 0 and var index)
                    rows.Add(current[index]);
            }
            AddChunks(rows, chunks);
        }
        return MailboxView.FromChunks(chunks, known.UidNext, known.HighestModSeq, current.Flags);
    }

    private static bool IsAll(ViewDiff diff, MailboxView current, UidSet uids) =>
        diff.Added == 0 && diff.Vanished.Except(uids).IsEmpty
        && diff.Changed.All(run => current.UidsAt(run.Index, run.Count).Except(uids).IsEmpty);

    private static void AddChunks(List<MessageRow> rows, List<Chunk> chunks)
    {
        var all = CollectionsMarshal.AsSpan(rows);
        for (var from = 0; from < all.Length; from += Chunk.Capacity)
            chunks.Add(Chunk.Of(all[from..Math.Min(all.Length, from + Chunk.Capacity)]));
    }
}
