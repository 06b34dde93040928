using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Searching;

internal sealed record AllKey : ColumnKey
{
    public override bool ChangesWithFlags => false;

    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result) =>
        result.Or(MessageBits.All(slice.Length));
}

/// <summary>SEEN, UNSEEN …, KEYWORD and UNKEYWORD.</summary>
internal sealed record FlagKey(string Flag, bool IsSet) : ColumnKey
{
    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        // A keyword that the mailbox has never had has no bit: nobody bears it.
        var mask = context.Flags.MaskOf([Flag]);
        var flags = slice.Flags;
        for (var i = 0; i < flags.Length; i++)
            result.SetIf(i, (flags[i] & mask) != 0 == IsSet);
    }
}

/// <summary>RECENT.</summary>
internal sealed record RecentKey : ColumnKey
{
    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        for (var i = 0; i < slice.Length; i++)
            result.SetIf(i, context.IsRecent(slice.Uids[i]));
    }
}

/// <summary>A sequence-set, UID with a sequence-set, or "$" (RFC 5182 §2.1) with or without UID.</summary>
internal sealed record NumberKey(SequenceSet Set, bool AreUids) : ColumnKey
{
    public override bool ChangesWithFlags => false;

    public override void Prepare(SearchContext context) => context.Resolve(this, Set, AreUids);

    public override UidSet? Among(SearchContext context) => context.Resolve(this, Set, AreUids);

    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        var ranges = context.Resolve(this, Set, AreUids).Ranges;
        var uids = slice.Uids;
        // Both ascend: one walk, however many ranges there are.
        var range = FirstEndingAtOrAbove(ranges, uids[0]);
        for (var i = 0; i < uids.Length && range < ranges.Length; i++)
        {
            while (range < ranges.Length && ranges[range].Last < uids[i])
                range++;
            if (range < ranges.Length && ranges[range].First <= uids[i])
                result.Set(i);
        }
    }

    private static int FirstEndingAtOrAbove(ReadOnlySpan<UidRange> ranges, uint uid)
    {
        int low = 0, high = ranges.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (ranges[middle].Last < uid)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}

/// <summary>UIDAFTER and UIDBEFORE (RFC 9738): UIDs from First to Last; none where First is beyond it.</summary>
internal sealed record UidRangeKey(uint First, uint Last) : ColumnKey
{
    public override bool ChangesWithFlags => false;

    public override UidSet? Among(SearchContext context) => UidSet.OfRange(First, Last);

    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        var uids = slice.Uids;
        for (var i = 0; i < uids.Length; i++)
            result.SetIf(i, uids[i] >= First && uids[i] <= Last);
    }
}

/// <summary>LARGER and SMALLER: more than Above and less than Below octets.</summary>
internal sealed record SizeKey(long Above, long Below) : ColumnKey
{
    public override bool ChangesWithFlags => false;

    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        var sizes = slice.Sizes;
        for (var i = 0; i < sizes.Length; i++)
            result.SetIf(i, sizes[i] > Above && sizes[i] < Below);
    }
}

/// <summary>BEFORE, ON, SINCE: internal dates from First to before End, days of UTC as INTERNALDATE shows them.</summary>
internal sealed record DateKey(long First, long End) : ColumnKey
{
    public override bool ChangesWithFlags => false;

    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        var dates = slice.InternalDates;
        for (var i = 0; i < dates.Length; i++)
            result.SetIf(i, dates[i] >= First && dates[i] < End);
    }
}

/// <summary>OLDER and YOUNGER (RFC 5032 §2): the internal date is so many seconds ago, at least or at most.</summary>
internal sealed record AgeKey(long Seconds, bool Older) : ColumnKey
{
    public override bool ChangesWithFlags => false;

    public override bool ChangesWithTime => true;

    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        var target = context.Now - Seconds;
        var dates = slice.InternalDates;
        for (var i = 0; i < dates.Length; i++)
            result.SetIf(i, Older ? dates[i] <= target : dates[i] >= target);
    }
}
