namespace EventMail.EventStore.Proof;

/// <summary>Which hashes a proof consists of, from the leaf upwards.</summary>
public static class TreePaths
{
    /// <summary>RFC 9162 §2.1.3.1: what shows that a leaf is in a tree.</summary>
    /// <param name="index">The leaf's number, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The tree has no such leaf.</exception>
    public static IReadOnlyList<LeafRange> Inclusion(long index, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var path = new List<LeafRange>();
        for (var range = new LeafRange(0, size); range.Length > 1;)
        {
            var middle = range.Start + range.Split;
            var (left, right) = (range with { End = middle }, range with { Start = middle });
            path.Add(index < middle ? right : left);
            range = index < middle ? left : right;
        }
        path.Reverse();
        return path;
    }

    /// <summary>RFC 9162 §2.1.4.1: what shows that the tree of the first <paramref name="older"/> leaves is the beginning of a larger one.</summary>
    /// <returns>Nothing for the same size; nor for an older tree without leaves, which begins every tree.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The older one is larger.</exception>
    public static IReadOnlyList<LeafRange> Consistency(long older, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(older);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(older, size);
        if (older == 0)
            return [];
        var path = new List<LeafRange>();
        var range = new LeafRange(0, size);
        while (range.End != older)
        {
            var middle = range.Start + range.Split;
            var (left, right) = (range with { End = middle }, range with { Start = middle });
            path.Add(older <= middle ? right : left);
            range = older <= middle ? left : right;
        }
        // Where the older tree is itself a subtree, its root is known to who asks.
        if (range.Start > 0)
            path.Add(range);
        path.Reverse();
        return path;
    }
}
