using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>What a search is about and cannot change while it runs.</summary>
internal sealed class SearchContext(Selected.SelectedMailbox selected)
{
    public FlagTable Flags { get; } = selected.Known.Flags;

    public bool IsRecent(uint uid) => selected.IsRecent(uid);
}

internal sealed record AllKey : ColumnKey
{
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

/// <summary>A sequence-set.</summary>
internal sealed record NumberKey(UidSet Numbers) : ColumnKey
{
    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        for (var i = 0; i < slice.Length; i++)
            result.SetIf(i, Numbers.Contains((uint)(slice.Start + i + 1)));
    }
}

/// <summary>UID.</summary>
internal sealed record UidKey(UidSet Uids) : ColumnKey
{
    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        for (var i = 0; i < slice.Length; i++)
            result.SetIf(i, Uids.Contains(slice.Uids[i]));
    }
}

/// <summary>LARGER and SMALLER: more than Above and less than Below octets.</summary>
internal sealed record SizeKey(long Above, long Below) : ColumnKey
{
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
    public override void Match(in ViewSlice slice, SearchContext context, MessageBits result)
    {
        var dates = slice.InternalDates;
        for (var i = 0; i < dates.Length; i++)
            result.SetIf(i, dates[i] >= First && dates[i] < End);
    }
}
