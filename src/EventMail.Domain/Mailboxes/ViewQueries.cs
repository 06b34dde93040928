namespace EventMail.Domain.Mailboxes;

/// <summary>Questions about a view's messages that the protocols and the decider ask.</summary>
public static class ViewQueries
{
    /// <summary>The index of the first message that has all of <paramref name="set"/> and none of <paramref name="clear"/>, or -1.</summary>
    public static int IndexOfFirst(this MailboxView view, ulong set, ulong clear)
    {
        foreach (var slice in view.Slices())
        {
            for (var i = 0; i < slice.Length; i++)
            {
                if ((slice.Flags[i] & (set | clear)) == set)
                    return slice.Start + i;
            }
        }
        return -1;
    }

    /// <summary>The UIDs of all messages that have all of <paramref name="set"/> and none of <paramref name="clear"/>.</summary>
    public static UidSet UidsWhere(this MailboxView view, ulong set, ulong clear)
    {
        var found = new UidSet.Builder();
        for (var k = 0; k < view.ChunkCount; k++)
        {
            var chunk = view.ChunkAt(k);
            // Few are \Deleted, and every EXPUNGE asks for them.
            if ((set & SystemFlags.Deleted) != 0 && chunk.Deleted == 0)
                continue;
            var flags = chunk.Flags;
            var uids = chunk.Uids;
            for (var i = 0; i < flags.Length; i++)
            {
                if ((flags[i] & (set | clear)) == set)
                    found.Add(uids[i]);
            }
        }
        return found.Build();
    }

    /// <summary>The messages of a range of UIDs, chunk by chunk.</summary>
    public static MailboxView.SliceEnumerable SlicesOf(this MailboxView view, UidRange range)
    {
        var start = view.LowerBound(range.First);
        return view.Slices(start, End(view, range) - start);
    }

    /// <summary>Those of the UIDs that are here.</summary>
    public static UidSet Existing(this MailboxView view, UidSet uids)
    {
        var found = new UidSet.Builder();
        foreach (var range in uids.Ranges)
        {
            var start = view.LowerBound(range.First);
            AddUids(view, start, End(view, range) - start, ref found);
        }
        return found.Build();
    }

    /// <summary>How many of the UIDs are here, and their sizes' sum.</summary>
    public static (long Messages, long Bytes) TotalsOf(this MailboxView view, UidSet uids)
    {
        var (messages, bytes) = (0L, 0L);
        foreach (var range in uids.Ranges)
        {
            foreach (var slice in view.SlicesOf(range))
            {
                messages += slice.Length;
                foreach (var size in slice.Sizes)
                    bytes += size;
            }
        }
        return (messages, bytes);
    }

    /// <summary>The UIDs of a range of indexes.</summary>
    public static UidSet UidsAt(this MailboxView view, int start, int count)
    {
        var found = new UidSet.Builder();
        AddUids(view, start, count, ref found);
        return found.Build();
    }

    /// <summary>The UIDs of a set of sequence numbers (index + 1); numbers beyond Count are left out.</summary>
    public static UidSet UidsOfSequence(this MailboxView view, UidSet sequenceNumbers)
    {
        var found = new UidSet.Builder();
        var ranges = sequenceNumbers.Ranges;
        if (ranges.IsEmpty || ranges[0].First > view.Count)
            return UidSet.Empty;
        var range = 0;
        var start = (int)ranges[0].First - 1;
        foreach (var slice in view.Slices(start, view.Count - start))
        {
            // The ranges that begin in this slice or before it, one after the other: sets may have as many as messages.
            var end = (uint)(slice.Start + slice.Length);
            for (; range < ranges.Length && ranges[range].First <= end; range++)
            {
                var first = (int)Math.Max(ranges[range].First, (uint)slice.Start + 1) - 1 - slice.Start;
                var last = (int)(Math.Min(ranges[range].Last, end) - 1) - slice.Start;
                AddUids(slice.Uids[first..(last + 1)], ref found);
                if (ranges[range].Last > end)
                    break;
            }
            if (range == ranges.Length)
                break;
        }
        return found.Build();
    }

    /// <summary>The last message's UID, or 0.</summary>
    public static uint LargestUid(this MailboxView view) => view.Count == 0 ? 0 : view[view.Count - 1].Uid;

    /// <summary>The sequence numbers of those of the UIDs that are here.</summary>
    public static UidSet SequenceOfUids(this MailboxView view, UidSet uids)
    {
        var found = new UidSet.Builder();
        foreach (var range in uids.Ranges)
        {
            var start = view.LowerBound(range.First);
            var end = End(view, range);
            if (end > start)
                found.Add(new UidRange((uint)start + 1, (uint)end));
        }
        return found.Build();
    }

    /// <summary>The sequence numbers of those of the UIDs that are here and have a MODSEQ above this (RFC 7162 CHANGEDSINCE).</summary>
    public static UidSet SequenceChangedSince(this MailboxView view, UidSet uids, long modSeq)
    {
        var found = new UidSet.Builder();
        foreach (var range in uids.Ranges)
        {
            foreach (var slice in view.SlicesOf(range))
            {
                for (var i = 0; i < slice.Length; i++)
                {
                    if (slice.ModSeqs[i] > modSeq)
                        found.Add((uint)(slice.Start + i + 1));
                }
            }
        }
        return found.Build();
    }

    // Index behind the last message of a range of UIDs.
    private static int End(MailboxView view, UidRange range) =>
        range.Last == uint.MaxValue ? view.Count : view.LowerBound(range.Last + 1);

    private static void AddUids(MailboxView view, int start, int count, ref UidSet.Builder found)
    {
        foreach (var slice in view.Slices(start, count))
            AddUids(slice.Uids, ref found);
    }

    private static void AddUids(ReadOnlySpan<uint> uids, ref UidSet.Builder found)
    {
        if (uids[^1] - uids[0] == uids.Length - 1)
        {
            found.Add(new UidRange(uids[0], uids[^1]));
            return;
        }
        foreach (var uid in uids)
            found.Add(uid);
    }
}
