using System.Buffers.Binary;
using EventMail.Projections.Sorting;

namespace EventMail.Protocols.Imap.Sorting;

/// <summary>
/// Sorts messages by criteria (RFC 5256 §3). Of the first criterion eight octets are compared as a number, behind what all its values
/// begin with; what that leaves equal is compared in full, by all criteria in turn, and at last by the place in the mailbox.
/// </summary>
internal sealed class Sorter(IReadOnlyList<SortCriterion> criteria, SortedMessages messages)
{
    private readonly record struct Item(ulong Prefix, int At);

    private readonly struct Order(Sorter sorter) : IComparer<Item>
    {
        public int Compare(Item a, Item b) =>
            a.Prefix != b.Prefix ? a.Prefix.CompareTo(b.Prefix) : sorter.CompareInFull(a.At, b.At);
    }

    /// <summary>The sequence numbers of the messages in their new order.</summary>
    public uint[] Sort()
    {
        var items = Items(criteria[0]);
        items.AsSpan().Sort(new Order(this));
        var order = new uint[items.Length];
        for (var i = 0; i < items.Length; i++)
            order[i] = messages.Numbers[items[i].At];
        return order;
    }

    /// <summary>Which of two of the messages comes first; they are told by their sequence numbers.</summary>
    public int Compare(uint a, uint b) => CompareInFull(Array.BinarySearch(messages.Numbers, a), Array.BinarySearch(messages.Numbers, b));

    private Item[] Items(SortCriterion first)
    {
        var items = new Item[messages.Count];
        var common = first.By == SortBy.Text ? CommonPrefix(first.Text) : 0;
        for (var i = 0; i < items.Length; i++)
        {
            var prefix = first.By == SortBy.Text
                ? Prefix(messages.Keys[i][first.Text][common..])
                : (ulong)Number(first.By, i) ^ (1UL << 63);
            items[i] = new(first.Reverse ? ~prefix : prefix, i);
        }

        return items;
    }

    private static ulong Prefix(ReadOnlySpan<byte> text)
    {
        if (text.Length >= sizeof(ulong))
            return BinaryPrimitives.ReadUInt64BigEndian(text);
        Span<byte> padded = stackalloc byte[sizeof(ulong)];
        padded.Clear();
        text.CopyTo(padded);
        return BinaryPrimitives.ReadUInt64BigEndian(padded);
    }

    private int CommonPrefix(SortText text)
    {
        if (messages.Count == 0)
            return 0;
        var first = messages.Keys[0][text];
        var common = first.Length;
        for (var i = 1; i < messages.Count && common > 0; i++)
            common = first[..common].CommonPrefixLength(messages.Keys[i][text]);
        return common;
    }

    private int CompareInFull(int a, int b)
    {
        foreach (var criterion in criteria)
        {
            var order = criterion.By == SortBy.Text
                ? messages.Keys[a][criterion.Text].SequenceCompareTo(messages.Keys[b][criterion.Text])
                : Number(criterion.By, a).CompareTo(Number(criterion.By, b));
            if (order != 0)
                return criterion.Reverse ? -order : order;
        }

        // RFC 5256 §3: "an implicit sort criterion of "sequence number"", which nothing reverses.
        return a.CompareTo(b);
    }

    private long Number(SortBy by, int at) => by switch
    {
        SortBy.Arrival => messages.InternalDates[at],
        SortBy.Size => messages.Sizes[at],
        _ => messages.SentDate(at),
    };
}
