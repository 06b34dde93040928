using System.Numerics;

namespace EventMail.EventStore.Proof;

/// <summary>A subtree whose leaves are a power of two: the <paramref name="Index"/>-th (from 0) over 2^<paramref name="Level"/> leaves each.</summary>
public readonly record struct TreeNode(int Level, long Index);

/// <summary>The leaves from <paramref name="Start"/> to before <paramref name="End"/>, as they stand under one node of a tree.</summary>
public readonly record struct LeafRange(long Start, long End)
{
    public long Length => End - Start;

    /// <summary>The largest power of two smaller than the length: where the node divides (k of RFC 9162 §2.1.1).</summary>
    public long Split => 1L << (63 - BitOperations.LeadingZeroCount((ulong)(Length - 1)));

    /// <summary>The full subtrees that it consists of, from the left, each smaller than the one before.</summary>
    public IEnumerable<TreeNode> Nodes()
    {
        for (var at = Start; at < End;)
        {
            var level = BitOperations.Log2((ulong)(End - at));
            yield return new(level, at >> level);
            at += 1L << level;
        }
    }

    /// <summary>Its hash, made of those of its full subtrees.</summary>
    public TreeHash Hash(Func<TreeNode, TreeHash> read)
    {
        var hash = default(TreeHash?);
        // On the right edge a node's right side is all that follows: joined from the right.
        foreach (var node in Nodes().Reverse())
            hash = hash is { } right ? TreeHash.Node(read(node), right) : read(node);
        return hash ?? TreeHash.Empty;
    }
}
