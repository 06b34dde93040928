namespace EventMail.EventStore.Proof;

/// <summary>Which 256 neighbours: leaves on level 0; on level n above, the roots of full tiles of the level below.</summary>
public readonly record struct TileId(int Level, long Number)
{
    /// <summary>The tile in which a subtree's hash stands, or from which it is made.</summary>
    public static TileId Holding(TreeNode node)
    {
        var (level, height) = Math.DivRem(node.Level, TreeTile.Height);
        return new(level, node.Index >> (TreeTile.Height - height));
    }
}

/// <summary>Up to 256 hashes of one level, from the left.</summary>
public sealed class TreeTile
{
    /// <summary>Levels of the tree that a tile spans.</summary>
    public const int Height = 8;

    /// <summary>Hashes of a full one.</summary>
    public const int Width = 1 << Height;

    private readonly TreeHash[] _hashes;

    private TreeTile(TreeHash[] hashes) => _hashes = hashes;

    public int Count => _hashes.Length;

    /// <summary>A tile of level 0.</summary>
    public static TreeTile OfLeaves(ReadOnlySpan<byte> leaves)
    {
        var hashes = new TreeHash[leaves.Length / LogLeaf.Size];
        for (var i = 0; i < hashes.Length; i++)
            hashes[i] = TreeHash.Leaf(leaves.Slice(i * LogLeaf.Size, LogLeaf.Size));
        return new(hashes);
    }

    /// <summary>A tile of a higher level.</summary>
    public static TreeTile OfHashes(ReadOnlySpan<byte> octets)
    {
        var hashes = new TreeHash[octets.Length / TreeHash.Size];
        for (var i = 0; i < hashes.Length; i++)
            hashes[i] = TreeHash.Read(octets.Slice(i * TreeHash.Size, TreeHash.Size));
        return new(hashes);
    }

    /// <summary>The hash over the whole of a full one: what stands for it one level above.</summary>
    public TreeHash Root => Hash(0, Height);

    /// <summary>The hash of a subtree that this tile holds.</summary>
    /// <exception cref="InvalidDataException">The tile ends before it.</exception>
    public TreeHash Hash(TreeNode node)
    {
        var height = node.Level % Height;
        var index = (int)(node.Index & ((Width >> height) - 1));
        return (index + 1) << height <= Count
            ? Hash(index, height)
            : throw new InvalidDataException($"a tile of the log's tree ends after {Count} hashes, before subtree {node.Index} of level {node.Level}");
    }

    private TreeHash Hash(int index, int height) =>
        height == 0 ? _hashes[index] : TreeHash.Node(Hash(2 * index, height - 1), Hash(2 * index + 1, height - 1));
}
