using EventMail.EventStore.Proof;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.EventStore.Tests.Proof;

/// <summary>RFC 9162 §2.1, beside a naive reading of its definitions.</summary>
public class MerkleTreeTests
{
    private const int Sizes = 300;

    // Leaves and roots that implementations of Certificate Transparency check themselves with.
    private static readonly string[] KnownLeaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    private static readonly string[] KnownRoots =
    [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    private static readonly TreeHash[] Leaves = [.. Enumerable.Range(0, 2 * Sizes).Select(i => new LogLeaf(i + 1, TreeHash.Leaf([(byte)i, (byte)(i >> 8)])).Hash)];

    // §2.1.1, word by word.
    private static TreeHash Naive(ReadOnlySpan<TreeHash> leaves)
    {
        if (leaves.Length < 2)
            return leaves.Length == 0 ? TreeHash.Empty : leaves[0];
        var k = 1;
        while (2 * k < leaves.Length)
            k *= 2;
        return TreeHash.Node(Naive(leaves[..k]), Naive(leaves[k..]));
    }

    private static TreeHash Read(TreeNode node) => Naive(Leaves.AsSpan((int)(node.Index << node.Level), 1 << node.Level));

    private static TreeHash[] Hashes(IReadOnlyList<LeafRange> path) => [.. path.Select(range => range.Hash(Read))];

    private static TreeHash Root(int size) => Naive(Leaves.AsSpan(0, size));

    [Fact]
    public void Known_trees_have_their_known_roots()
    {
        Convert.ToHexStringLower(TreeHash.Empty.ToArray()).ShouldBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        var frontier = new Frontier();
        foreach (var (leaf, root) in KnownLeaves.Zip(KnownRoots))
        {
            frontier.Add(TreeHash.Leaf(Convert.FromHexString(leaf)));
            Convert.ToHexStringLower(frontier.Root().ToArray()).ShouldBe(root);
        }
    }

    [Fact]
    public void Growing_leaf_by_leaf_leads_to_the_same_roots_as_the_definition()
    {
        var (frontier, tip, full) = (new Frontier(), new TreeTip(), new List<FullTile>());
        for (var size = 0; size < Leaves.Length; size++)
        {
            if (size < Sizes || size % 16 == 0)
                new LeafRange(0, size).Hash(Read).ShouldBe(Root(size));
            frontier.Root().ShouldBe(tip.Size < TreeTile.Width ? tip.Root() : frontier.Root());
            if (size is 255 or 256 or 257 or 511 or 512 or 513)
                frontier.Root().ShouldBe(Root(size));
            frontier.Add(new LogLeaf(size + 1, TreeHash.Leaf([(byte)size, (byte)(size >> 8)])).Hash);
            tip.Add(new(size + 1, TreeHash.Leaf([(byte)size, (byte)(size >> 8)])), full);
        }
        full.Count.ShouldBe(Leaves.Length / TreeTile.Width);
    }

    [Fact]
    public void Every_leaf_of_every_size_is_proved_and_no_other()
    {
        for (var size = 1; size <= Sizes; size += size < 70 ? 1 : 23)
        {
            var root = Root(size);
            for (var index = 0; index < size; index++)
            {
                var path = Hashes(TreePaths.Inclusion(index, size));
                TreeProofs.Includes(Leaves[index], index, size, path, root).ShouldBeTrue();
                TreeProofs.Includes(Leaves[index + 1], index, size, path, root).ShouldBeFalse();
                TreeProofs.Includes(Leaves[index], index + 1, size, path, root).ShouldBeFalse();
                TreeProofs.Includes(Leaves[index], index, size, [.. path, root], root).ShouldBeFalse();
                if (path.Length > 0)
                    TreeProofs.Includes(Leaves[index], index, size, path[1..], root).ShouldBeFalse();
            }
        }
    }

    [Fact]
    public void Every_tree_is_the_beginning_of_every_larger_one_and_of_no_other()
    {
        for (var size = 1; size <= Sizes; size += size < 40 ? 1 : 37)
        {
            var root = Root(size);
            for (var older = 0; older <= size; older++)
            {
                var path = Hashes(TreePaths.Consistency(older, size));
                TreeProofs.IsBeginning(older, Root(older), size, root, path).ShouldBeTrue($"{older} of {size}");
                TreeProofs.IsBeginning(older, Leaves[size], size, root, path).ShouldBeFalse();
                TreeProofs.IsBeginning(older, Root(older), size, root, [.. path, root]).ShouldBeFalse();
                TreeProofs.IsBeginning(size + 1, Root(older), size, root, path).ShouldBeFalse();
                if (older > 0 && older < size)
                {
                    TreeProofs.IsBeginning(older, Root(older), size, Leaves[0], path).ShouldBeFalse();
                    TreeProofs.IsBeginning(older, Root(older), size, root, path[..^1]).ShouldBeFalse();
                }
            }
        }
    }

    [Fact]
    public void A_proof_with_anything_changed_proves_nothing() =>
        Prop.ForAll(Gen.Choose(2, Sizes).ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (size, a, b) =>
        {
            var (index, root) = (a % size, Root(size));
            var path = Hashes(TreePaths.Inclusion(index, size));
            var octets = path[b % path.Length].ToArray();
            octets[b % octets.Length] ^= (byte)(1 << b % 8);
            path[b % path.Length] = TreeHash.Read(octets);
            return !TreeProofs.Includes(Leaves[index], index, size, path, root);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Sizes_and_numbers_of_hostile_proofs_are_no_matter()
    {
        TreeHash[] path = [.. Leaves[..100]];
        long[] numbers = [long.MinValue, -1, 0, 1, 2, 63, long.MaxValue - 1, long.MaxValue];
        foreach (var a in numbers)
        {
            foreach (var b in numbers)
            {
                TreeProofs.Includes(Leaves[0], a, b, path, Leaves[1]).ShouldBeFalse();
                TreeProofs.IsBeginning(a, Leaves[0], b, Leaves[1], path).ShouldBeFalse();
            }
        }
        Should.Throw<ArgumentOutOfRangeException>(() => TreePaths.Inclusion(5, 5));
        Should.Throw<ArgumentOutOfRangeException>(() => TreePaths.Consistency(6, 5));
    }

    [Fact]
    public void The_tip_and_full_tiles_hold_every_hash_that_a_proof_needs()
    {
        var full = new List<FullTile>();
        var tip = new TreeTip();
        var frontier = new Frontier();
        for (var size = 1; size <= 70_000; size++)
        {
            var leaf = new LogLeaf(3L * size, TreeHash.Leaf([(byte)size, (byte)(size >> 8), (byte)(size >> 16)]));
            tip.Add(leaf, full);
            frontier.Add(leaf.Hash);
            if (size is 1 or 255 or 256 or 257 or 65_535 or 65_536 or 65_537 or 70_000)
            {
                tip = TreeTip.Read(tip.Size, tip.Position, tip.ToArray());
                tip.Root().ShouldBe(frontier.Root());
                var tiles = full.ToDictionary(tile => tile.Id, tile => tile.Id.Level == 0 ? TreeTile.OfLeaves(tile.Content) : TreeTile.OfHashes(tile.Content));
                TreeHash Node(TreeNode node) => (tip.Holds(TileId.Holding(node)) ? tip.Tile(TileId.Holding(node).Level) : tiles[TileId.Holding(node)]).Hash(node);
                foreach (var index in (long[])[0, size / 3, size - 1])
                {
                    var of = tip.Holds(new(0, index >> 8)) ? LogLeaf.Read(tip.Leaves.Span[(int)(index % 256 * LogLeaf.Size)..])
                        : LogLeaf.Read(full.Single(t => t.Id == new TileId(0, index >> 8)).Content.AsSpan((int)(index % 256 * LogLeaf.Size)));
                    of.Position.ShouldBe(3 * (index + 1));
                    TreeProofs.Includes(of.Hash, index, size, [.. TreePaths.Inclusion(index, size).Select(r => r.Hash(Node))], tip.Root()).ShouldBeTrue();
                }
                TreeProofs.IsBeginning(
                    size / 2, new LeafRange(0, size / 2).Hash(Node), size, tip.Root(), [.. TreePaths.Consistency(size / 2, size).Select(r => r.Hash(Node))]).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void A_tip_of_the_wrong_length_or_order_is_refused()
    {
        var tip = new TreeTip();
        tip.Add(new(5, TreeHash.Empty), []);
        Should.Throw<ArgumentException>(() => tip.Add(new(5, TreeHash.Empty), []));
        Should.Throw<InvalidDataException>(() => TreeTip.Read(2, 5, tip.ToArray()));
        Should.Throw<InvalidDataException>(() => TreeTip.Read(-1, 5, []));
        Should.Throw<InvalidDataException>(() => TreeTip.Read(256, 5, tip.ToArray()));
        TreeTip.Read(0, 0, []).Root().ShouldBe(TreeHash.Empty);
    }
}
