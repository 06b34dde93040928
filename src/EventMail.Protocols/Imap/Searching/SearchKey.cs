using EventMail.Domain.Mailboxes;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>What looking at one message for a key costs; AND asks the cheap ones first.</summary>
internal enum SearchCost : byte
{
    /// <summary>Columns in memory.</summary>
    Columns,

    /// <summary>The message's summary: one query per window at most.</summary>
    Summary,

    /// <summary>The message itself.</summary>
    Content,
}

/// <summary>search-key (RFC 3501 §6.4.4).</summary>
internal abstract record SearchKey
{
    public abstract SearchCost Cost { get; }

    /// <summary>What matches now may not match later though nothing happens to it.</summary>
    public virtual bool ChangesWithTime => false;

    /// <summary>What matches may change when a message's flags do, or its MODSEQ.</summary>
    public virtual bool ChangesWithFlags => false;

    /// <summary>Before a search: numbers in it get their meaning.</summary>
    public virtual void Prepare(SearchContext context)
    {
    }

    /// <summary>The UIDs among which it looks, by what it says of numbers; null for any.</summary>
    public virtual UidSet? Among(SearchContext context) => null;
}

/// <summary>All of them; the cheapest first, so that the dear ones see few messages.</summary>
internal sealed record AndKey : SearchKey
{
    public AndKey(IEnumerable<SearchKey> keys) => Keys = [.. keys.OrderBy(key => key.Cost)];

    public SearchKey[] Keys { get; }

    public override SearchCost Cost => Keys.Length == 0 ? SearchCost.Columns : Keys[^1].Cost;

    public override bool ChangesWithTime => Keys.Any(key => key.ChangesWithTime);

    public override bool ChangesWithFlags => Keys.Any(key => key.ChangesWithFlags);

    public override void Prepare(SearchContext context)
    {
        foreach (var key in Keys)
            key.Prepare(context);
    }

    public override UidSet? Among(SearchContext context)
    {
        UidSet? among = null;
        foreach (var key in Keys)
        {
            if (key.Among(context) is { } uids)
                among = among?.Intersect(uids) ?? uids;
        }

        return among;
    }
}

internal sealed record OrKey : SearchKey
{
    public OrKey(SearchKey a, SearchKey b) => (First, Second) = a.Cost <= b.Cost ? (a, b) : (b, a);

    public SearchKey First { get; }

    public SearchKey Second { get; }

    public override SearchCost Cost => Second.Cost;

    public override bool ChangesWithTime => First.ChangesWithTime || Second.ChangesWithTime;

    public override bool ChangesWithFlags => First.ChangesWithFlags || Second.ChangesWithFlags;

    public override void Prepare(SearchContext context)
    {
        First.Prepare(context);
        Second.Prepare(context);
    }
}

internal sealed record NotKey(SearchKey Key) : SearchKey
{
    public override SearchCost Cost => Key.Cost;

    public override bool ChangesWithTime => Key.ChangesWithTime;

    public override bool ChangesWithFlags => Key.ChangesWithFlags;

    public override void Prepare(SearchContext context) => Key.Prepare(context);
}

/// <summary>A key that the mailbox's columns answer.</summary>
internal abstract record ColumnKey : SearchKey
{
    public override SearchCost Cost => SearchCost.Columns;

    public override bool ChangesWithFlags => true;

    /// <summary>Sets the bit of every message of the slice that matches.</summary>
    public abstract void Match(in ViewSlice slice, SearchContext context, MessageBits result);
}

/// <summary>A key that a message's summary or octets answer.</summary>
internal abstract record MessageKey : SearchKey
{
    /// <summary>It tells how well a message matches, not only that it does.</summary>
    public virtual bool IsScored => false;

    /// <summary>1 to 100 for a message that matches, or 0.</summary>
    public abstract int Score(SearchedMessage message);
}

/// <summary>One that a message matches or not.</summary>
internal abstract record PlainMessageKey : MessageKey
{
    public sealed override int Score(SearchedMessage message) => Matches(message) ? 100 : 0;

    protected abstract bool Matches(SearchedMessage message);
}
