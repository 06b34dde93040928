using System.Numerics;

namespace EventMail.EventStore.Proof;

/// <summary>The root of a tree that grows leaf by leaf, in the memory of its full subtrees on the right edge. Not thread-safe.</summary>
public sealed class Frontier
{
    // From the left, each smaller than the one before: one for each 1 in the size.
    private readonly List<TreeHash> _subtrees = [];

    public long Size { get; private set; }

    public void Add(TreeHash leaf)
    {
        var hash = leaf;
        for (var i = BitOperations.TrailingZeroCount(~Size); i > 0; i--)
        {
            hash = TreeHash.Node(_subtrees[^1], hash);
            _subtrees.RemoveAt(_subtrees.Count - 1);
        }
        _subtrees.Add(hash);
        Size++;
    }

    public TreeHash Root()
    {
        if (Size == 0)
            return TreeHash.Empty;
        var root = _subtrees[^1];
        for (var i = _subtrees.Count - 2; i >= 0; i--)
            root = TreeHash.Node(_subtrees[i], root);
        return root;
    }
}
