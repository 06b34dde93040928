namespace EventMail.Domain.Mailboxes;

/// <summary>Messages behind each other that changed; in both views they lie in one chunk.</summary>
/// <param name="Index">Of the first one in the newer view: its sequence number - 1.</param>
/// <param name="OldIndex">Where it was in the older view.</param>
public readonly record struct ChangedRun(int Index, int OldIndex, int Count)
{
    public ViewSlice In(MailboxView current) => current.SliceAt(Index, Count);

    public ViewSlice InOld(MailboxView known) => known.SliceAt(OldIndex, Count);
}

/// <summary>What happened between two views of a mailbox, in the order in which an IMAP client is told.</summary>
public sealed class ViewDiff
{
    private ViewDiff(int[] expunges, UidSet vanished, IReadOnlyList<ChangedRun> changed, int added, int count) =>
        (Expunges, Vanished, Changed, Added, Count) = (expunges, vanished, changed, added, count);

    /// <summary>
    /// Sequence numbers for EXPUNGE responses, each as it is at its moment (RFC 9051 §7.5.1): from the highest down, so that none
    /// is shifted by an earlier one. Send them first.
    /// </summary>
    public IReadOnlyList<int> Expunges { get; }

    /// <summary>The same messages as UIDs (VANISHED, RFC 7162).</summary>
    public UidSet Vanished { get; }

    /// <summary>Messages that both views have and whose MODSEQ differs.</summary>
    public IReadOnlyList<ChangedRun> Changed { get; }

    /// <summary>How many messages at the end of the newer view are new. When it is not 0, send EXISTS with <see cref="Count"/>.</summary>
    public int Added { get; }

    /// <summary>How many messages the newer view has.</summary>
    public int Count { get; }

    public bool IsEmpty => Expunges.Count == 0 && Changed.Count == 0 && Added == 0;

    // A place in a view, chunk by chunk.
    private struct Cursor(MailboxView view)
    {
        private int _next = 1;

        public Chunk? Chunk = view.ChunkCount > 0 ? view.ChunkAt(0) : null;
        public int Offset;
        public int Index;

        public readonly uint Uid => Chunk!.Uids[Offset];

        public void Advance(int count)
        {
            Index += count;
            Offset += count;
            if (Offset < Chunk!.Count)
                return;
            Offset = 0;
            Chunk = _next < view.ChunkCount ? view.ChunkAt(_next++) : null;
        }
    }

    internal static ViewDiff Between(MailboxView known, MailboxView current)
    {
        if (ReferenceEquals(known, current))
            return new([], UidSet.Empty, [], 0, current.Count);
        var vanished = new UidSet.Builder();
        var expunged = new List<int>();
        var changed = new List<ChangedRun>();
        var (old, now) = (new Cursor(known), new Cursor(current));
        while (old.Chunk is { } before && now.Chunk is { } after)
        {
            if (old.Offset == now.Offset && before.SharesUidsWith(after))
            {
                var count = Math.Min(before.Count, after.Count) - old.Offset;
                if (!before.SharesMarksWith(after))
                    Compare(before, after, old.Offset, count, old.Index, now.Index, changed);
                old.Advance(count);
                now.Advance(count);
            }
            else if (old.Uid == now.Uid)
            {
                if (before.ModSeqs[old.Offset] != after.ModSeqs[now.Offset])
                    changed.Add(new(now.Index, old.Index, 1));
                old.Advance(1);
                now.Advance(1);
            }
            else if (old.Uid < now.Uid)
            {
                vanished.Add(old.Uid);
                expunged.Add(old.Index + 1);
                old.Advance(1);
            }
            else
            {
                throw new ArgumentException("The views are not of one mailbox, or in the wrong order.", nameof(current));
            }
        }
        while (old.Chunk is not null)
        {
            vanished.Add(old.Uid);
            expunged.Add(old.Index + 1);
            old.Advance(1);
        }
        expunged.Reverse();
        return new([.. expunged], vanished.Build(), changed, current.Count - now.Index, current.Count);
    }

    private static void Compare(Chunk before, Chunk after, int from, int count, int oldIndex, int index, List<ChangedRun> changed)
    {
        var a = before.ModSeqs.Slice(from, count);
        var b = after.ModSeqs.Slice(from, count);
        for (var i = a.CommonPrefixLength(b); i < count; i += a[i..].CommonPrefixLength(b[i..]))
        {
            var start = i;
            while (i < count && a[i] != b[i])
                i++;
            changed.Add(new(index + start, oldIndex + start, i - start));
        }
    }

    /// <summary>What <see cref="Vanished"/> is, without looking at what changed.</summary>
    internal static UidSet VanishedBetween(MailboxView known, MailboxView current)
    {
        var vanished = new UidSet.Builder();
        var (old, now) = (new Cursor(known), new Cursor(current));
        while (old.Chunk is { } before)
        {
            if (now.Chunk is { } after && old.Offset == now.Offset && before.SharesUidsWith(after))
            {
                var count = Math.Min(before.Count, after.Count) - old.Offset;
                old.Advance(count);
                now.Advance(count);
                continue;
            }
            if (now.Chunk is null || old.Uid < now.Uid)
                vanished.Add(old.Uid);
            else
                now.Advance(1);
            old.Advance(1);
        }
        return vanished.Build();
    }
}
