namespace EventMail.EventStore.Proof;

/// <summary>Checks what <see cref="TreePaths"/> lead to. Whatever is handed in, the answer is true or false.</summary>
public static class TreeProofs
{
    /// <summary>RFC 9162 §2.1.3.2: the leaf is the one of that number in the tree of that size and root.</summary>
    public static bool Includes(TreeHash leaf, long index, long size, IReadOnlyList<TreeHash> path, TreeHash root)
    {
        if (index < 0 || index >= size)
            return false;
        var (node, last, hash) = (index, size - 1, leaf);
        foreach (var next in path)
        {
            if (last == 0)
                return false;
            if ((node & 1) == 1 || node == last)
            {
                hash = TreeHash.Node(next, hash);
                Rise(ref node, ref last);
            }
            else
                hash = TreeHash.Node(hash, next);
            (node, last) = (node >> 1, last >> 1);
        }
        return last == 0 && hash == root;
    }

    /// <summary>RFC 9162 §2.1.4.2: the older tree is the beginning of the newer.</summary>
    public static bool IsBeginning(long olderSize, TreeHash olderRoot, long size, TreeHash root, IReadOnlyList<TreeHash> path)
    {
        if (olderSize < 0 || olderSize > size)
            return false;
        if (olderSize == 0)
            return path.Count == 0 && olderRoot == TreeHash.Empty;
        if (olderSize == size)
            return path.Count == 0 && olderRoot == root;
        var isSubtree = (olderSize & (olderSize - 1)) == 0;
        if (!isSubtree && path.Count == 0)
            return false;
        var (node, last) = (olderSize - 1, size - 1);
        while ((node & 1) == 1)
            (node, last) = (node >> 1, last >> 1);
        var (older, newer) = isSubtree ? (olderRoot, olderRoot) : (path[0], path[0]);
        foreach (var next in path.Skip(isSubtree ? 0 : 1))
        {
            if (last == 0)
                return false;
            if ((node & 1) == 1 || node == last)
            {
                (older, newer) = (TreeHash.Node(next, older), TreeHash.Node(next, newer));
                Rise(ref node, ref last);
            }
            else
                newer = TreeHash.Node(newer, next);
            (node, last) = (node >> 1, last >> 1);
        }
        return last == 0 && older == olderRoot && newer == root;
    }

    // On the right edge: up to where the node is a right one, since the levels between have nothing beside it.
    private static void Rise(ref long node, ref long last)
    {
        while ((node & 1) == 0 && node != 0)
            (node, last) = (node >> 1, last >> 1);
    }
}
