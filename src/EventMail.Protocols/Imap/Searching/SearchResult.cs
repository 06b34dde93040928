using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>What a search found, as far as it was asked for. Numbers are sequence numbers of <see cref="View"/>.</summary>
internal sealed class SearchResult
{
    public required MailboxView View { get; init; }

    /// <summary>All that was found; null where the search did not have to know.</summary>
    public UidSet? Numbers { get; init; }

    /// <summary><see cref="Numbers"/> in the order of a SORT; null for the mailbox's.</summary>
    public uint[]? Order { get; private init; }

    /// <summary><see cref="Partial"/> in that order.</summary>
    public uint[]? PartialOrder { get; private init; }

    /// <summary>How many; right where COUNT or all was asked for.</summary>
    public long Count { get; init; }

    /// <summary>The first one's, or 0.</summary>
    public uint Min { get; init; }

    /// <summary>The last one's, or 0.</summary>
    public uint Max { get; init; }

    /// <summary>Something was found.</summary>
    public bool Any => Count > 0 || Min > 0 || Max > 0 || SomeBeyond;

    /// <summary>Something was found, but nothing of what PARTIAL asked for.</summary>
    public bool SomeBeyond { get; init; }

    /// <summary>All that was found, as UIDs; where all was asked for.</summary>
    public UidSet Uids => View.UidsOfSequence(Numbers!);

    /// <summary>What PARTIAL asked for.</summary>
    public UidSet Partial { get; init; } = UidSet.Empty;

    /// <summary>Where RELEVANCY was asked for.</summary>
    public RelevancyScores? Scores { get; set; }

    /// <summary>RFC 4731 §3.2: the highest MODSEQ of what is returned, where the program asked for MODSEQ.</summary>
    public long? ModSeq { get; set; }

    /// <summary>"$", as UIDs, where <paramref name="wanted"/> has SAVE.</summary>
    public UidSet ToSave(SearchReturn wanted) => wanted.SavesAll ? Uids : View.UidsOfSequence(Ends(wanted));

    // The rule of "Otherwise … all messages being returned" (RFC 4731 §3.2) and that of SAVE are the same one.
    public long? HighestModSeq(SearchReturn wanted)
    {
        var numbers = !wanted.IsExtended || wanted.Has(ReturnItems.All | ReturnItems.Count) ? Numbers! : Ends(wanted);
        var highest = 0L;
        foreach (var range in numbers.Ranges)
        {
            foreach (var slice in View.Slices((int)range.First - 1, (int)range.Count))
            {
                foreach (var modSeq in slice.ModSeqs)
                    highest = Math.Max(highest, modSeq);
            }
        }

        return highest == 0 ? null : highest;
    }

    private UidSet Ends(SearchReturn wanted)
    {
        var numbers = Partial;
        if (wanted.Has(ReturnItems.Min) && Min > 0)
            numbers = numbers.Union(UidSet.Of(Min));
        if (wanted.Has(ReturnItems.Max) && Max > 0)
            numbers = numbers.Union(UidSet.Of(Max));
        return numbers;
    }

    /// <summary>All of some messages.</summary>
    public static SearchResult Of(MailboxView view, UidSet numbers, PartialRange partial) => new()
    {
        View = view,
        Numbers = numbers,
        Count = numbers.Count,
        Min = numbers.IsEmpty ? 0 : numbers.First,
        Max = numbers.IsEmpty ? 0 : numbers.Last,
        Partial = partial == default ? UidSet.Empty : partial.Of(numbers),
    };

    /// <summary>The same in another order than the mailbox's: SORT (RFC 5267 §3). MIN is the first of it, MAX the last.</summary>
    public static SearchResult Sorted(MailboxView view, uint[] order, PartialRange partial) => new()
    {
        View = view,
        Order = order,
        Numbers = UidSet.From(order),
        Count = order.Length,
        Min = order.Length == 0 ? 0 : order[0],
        Max = order.Length == 0 ? 0 : order[^1],
        PartialOrder = partial == default ? [] : partial.Of(order),
        Partial = partial == default ? UidSet.Empty : UidSet.From(partial.Of(order)),
    };
}
