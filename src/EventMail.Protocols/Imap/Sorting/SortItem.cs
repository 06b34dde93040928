namespace EventMail.Protocols.Imap.Sorting;

/// <summary>A message by its place, with eight octets that it is compared by now.</summary>
internal readonly record struct SortItem(ulong Key, int At)
{
    private const int FewItems = 256;
    private const int Digits = sizeof(ulong);
    private const int Values = 256;

    private readonly struct Order : IComparer<SortItem>
    {
        public int Compare(SortItem a, SortItem b) => a.Key != b.Key ? a.Key.CompareTo(b.Key) : a.At.CompareTo(b.At);
    }

    /// <summary>Sorts by key, those of one key by place.</summary>
    /// <param name="items">Those of one key are in the order of their places already.</param>
    /// <param name="scratch">At least as long.</param>
    public static void Sort(Span<SortItem> items, Span<SortItem> scratch)
    {
        if (items.Length <= FewItems)
        {
            items.Sort(new Order());
            return;
        }

        // From the last octet to the first, each pass leaving those of one octet in their order.
        Span<int> counts = stackalloc int[Digits * Values];
        counts.Clear();
        foreach (var item in items)
        {
            for (var digit = 0; digit < Digits; digit++)
                counts[digit * Values + (byte)(item.Key >> digit * 8)]++;
        }

        var from = items;
        var to = scratch[..items.Length];
        for (var digit = 0; digit < Digits; digit++)
        {
            var next = counts.Slice(digit * Values, Values);
            // An octet that all have in common orders nothing.
            if (next[(byte)(from[0].Key >> digit * 8)] == from.Length)
                continue;
            var sum = 0;
            foreach (ref var start in next)
                (start, sum) = (sum, sum + start);
            foreach (var item in from)
                to[next[(byte)(item.Key >> digit * 8)]++] = item;
            var swap = from;
            from = to;
            to = swap;
        }

        if (from != items)
            from.CopyTo(items);
    }
}
