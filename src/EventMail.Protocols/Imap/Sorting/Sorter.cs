using System.Buffers.Binary;
using EventMail.Projections.Sorting;

namespace EventMail.Protocols.Imap.Sorting;

/// <summary>
/// Sorts messages by criteria (RFC 5256 §3). A run of messages that nothing tells apart yet is sorted by the next octets of its
/// criterion, as a number, behind what all of it begins with; what is equal then are runs of their own, for the octets that follow or
/// the next criterion. So each octet is looked at once, however many messages have one sender.
/// </summary>
internal sealed class Sorter(IReadOnlyList<SortCriterion> criteria, SortedMessages messages)
{
    // Of a text a key holds seven octets, and below them how many there are: an end comes before NUL.
    private const int TextOctets = 7;
    private const byte GoesOn = TextOctets + 1;

    /// <param name="Start">Of <see cref="_items"/>.</param>
    /// <param name="Criterion">Its messages are equal in those before.</param>
    /// <param name="Depth">And in so many octets of this one.</param>
    private readonly record struct Run(int Start, int Length, int Criterion, int Depth);

    private SortItem[] _items = [];
    private SortItem[] _scratch = [];

    // Texts may be equal for long: no recursion.
    private readonly Stack<Run> _runs = new();

    /// <summary>The sequence numbers of the messages in their new order.</summary>
    public uint[] Sort()
    {
        (_items, _scratch) = (new SortItem[messages.Count], new SortItem[messages.Count]);
        for (var i = 0; i < _items.Length; i++)
            _items[i] = new(0, i);
        if (_items.Length > 1)
            _runs.Push(new(0, _items.Length, 0, 0));
        while (_runs.TryPop(out var run))
            Sort(run);
        var order = new uint[_items.Length];
        for (var i = 0; i < _items.Length; i++)
            order[i] = messages.Numbers[_items[i].At];
        return order;
    }

    /// <summary>Which of two of the messages comes first; they are told by their sequence numbers.</summary>
    public int Compare(uint a, uint b) => CompareInFull(Array.BinarySearch(messages.Numbers, a), Array.BinarySearch(messages.Numbers, b));

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

        return a.CompareTo(b);
    }

    private void Sort(Run run)
    {
        var criterion = criteria[run.Criterion];
        var items = _items.AsSpan(run.Start, run.Length);
        var depth = criterion.By == SortBy.Text ? run.Depth + CommonPrefix(items, criterion.Text, run.Depth) : 0;
        foreach (ref var item in items)
        {
            var key = criterion.By == SortBy.Text
                ? TextKey(messages.Keys[item.At][criterion.Text][depth..])
                : (ulong)Number(criterion.By, item.At) ^ (1UL << 63);
            item = new(criterion.Reverse ? ~key : key, item.At);
        }

        SortItem.Sort(items, _scratch);
        // RFC 5256 §3: what no criterion tells apart stays in the order of sequence numbers, which nothing reverses.
        for (var start = 0; start < items.Length;)
        {
            var key = items[start].Key;
            var end = start + 1;
            while (end < items.Length && items[end].Key == key)
                end++;
            var goesOn = criterion.By == SortBy.Text && (byte)(criterion.Reverse ? ~key : key) == GoesOn;
            if (end - start > 1 && (goesOn || run.Criterion + 1 < criteria.Count))
                _runs.Push(new(run.Start + start, end - start, goesOn ? run.Criterion : run.Criterion + 1, goesOn ? depth + TextOctets : 0));
            start = end;
        }
    }

    private static ulong TextKey(ReadOnlySpan<byte> text)
    {
        if (text.Length > TextOctets)
            return BinaryPrimitives.ReadUInt64BigEndian(text) & ~(ulong)byte.MaxValue | GoesOn;
        Span<byte> padded = stackalloc byte[sizeof(ulong)];
        padded.Clear();
        text.CopyTo(padded);
        padded[TextOctets] = (byte)text.Length;
        return BinaryPrimitives.ReadUInt64BigEndian(padded);
    }

    private int CommonPrefix(ReadOnlySpan<SortItem> items, SortText text, int depth)
    {
        var first = messages.Keys[items[0].At][text][depth..];
        var common = first.Length;
        for (var i = 1; i < items.Length && common > 0; i++)
            common = first[..common].CommonPrefixLength(messages.Keys[items[i].At][text][depth..]);
        return common;
    }

    private long Number(SortBy by, int at) => by switch
    {
        SortBy.Arrival => messages.InternalDates[at],
        SortBy.Size => messages.Sizes[at],
        SortBy.Relevancy => -messages.Relevancy(at),
        _ => messages.SentDate(at),
    };
}
