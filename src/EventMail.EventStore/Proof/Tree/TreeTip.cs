namespace EventMail.EventStore.Proof;

/// <summary>A tile that has become full.</summary>
/// <param name="Content">256 leaves (level 0) or hashes.</param>
public readonly record struct FullTile(TileId Id, byte[] Content);

/// <summary>
/// The end of the tree: the tiles that are not full yet, one a level. What was full has left it and never changes again. Not thread-safe.
/// </summary>
public sealed class TreeTip
{
    private readonly List<List<byte>> _levels = [];

    public long Size { get; private set; }

    /// <summary>Of the last leaf; 0 before the first.</summary>
    public long Position { get; private set; }

    /// <summary>Brings back what <see cref="ToArray"/> wrote.</summary>
    /// <exception cref="InvalidDataException">These are not the octets of a tree of that size.</exception>
    public static TreeTip Read(long size, long position, ReadOnlySpan<byte> octets)
    {
        var tip = new TreeTip { Size = size, Position = position };
        for (var (rest, level) = (size, 0); rest > 0; rest >>= TreeTile.Height, level++)
        {
            var length = (int)(rest % TreeTile.Width) * WidthOf(level);
            if (octets.Length < length)
                break;
            tip._levels.Add([.. octets[..length]]);
            octets = octets[length..];
        }
        return size >= 0 && octets.IsEmpty && tip.IsWhole
            ? tip
            : throw new InvalidDataException($"the end of the log's tree is not that of {size} leaves");
    }

    public byte[] ToArray() => [.. _levels.SelectMany(level => level)];

    /// <param name="full">Gets the tiles that become full by it, the lowest first.</param>
    /// <exception cref="ArgumentException">Its position does not follow the last one's.</exception>
    public void Add(LogLeaf leaf, ICollection<FullTile> full)
    {
        if (leaf.Position <= Position)
            throw new ArgumentException($"position {leaf.Position} does not follow {Position}", nameof(leaf));
        Span<byte> octets = stackalloc byte[LogLeaf.Size];
        leaf.Write(octets);
        Add(0, Size >> TreeTile.Height, octets, full);
        Position = leaf.Position;
        Size++;
    }

    public TreeHash Root()
    {
        TreeTile[] tiles = [.. Enumerable.Range(0, _levels.Count).Select(Tile)];
        return new LeafRange(0, Size).Hash(node => tiles[node.Level / TreeTile.Height].Hash(node));
    }

    /// <summary>The tile of that level that is not full yet.</summary>
    public TreeTile Tile(int level) => level >= _levels.Count ? TreeTile.OfHashes([])
        : level == 0 ? TreeTile.OfLeaves([.. _levels[0]])
        : TreeTile.OfHashes([.. _levels[level]]);

    /// <summary>It is the one of that level that is not full yet.</summary>
    public bool Holds(TileId tile) => tile.Number == Size >> (TreeTile.Height * (tile.Level + 1));

    /// <summary>The last leaves, which are in no full tile.</summary>
    public ReadOnlyMemory<byte> Leaves => _levels.Count == 0 ? default : _levels[0].ToArray();

    private bool IsWhole => Size == 0 || (_levels.Count > 0 && Size >> (TreeTile.Height * _levels.Count) == 0);

    private void Add(int level, long number, ReadOnlySpan<byte> octets, ICollection<FullTile> full)
    {
        if (_levels.Count == level)
            _levels.Add([]);
        var tile = _levels[level];
        tile.AddRange(octets);
        if (tile.Count < TreeTile.Width * WidthOf(level))
            return;
        var content = tile.ToArray();
        tile.Clear();
        full.Add(new(new(level, number), content));
        var root = (level == 0 ? TreeTile.OfLeaves(content) : TreeTile.OfHashes(content)).Root;
        Add(level + 1, number >> TreeTile.Height, root.ToArray(), full);
    }

    private static int WidthOf(int level) => level == 0 ? LogLeaf.Size : TreeHash.Size;
}
