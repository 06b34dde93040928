using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>The stored tree from its first leaf to its last, held against itself: tiles that do not follow from those below them are damage.</summary>
internal sealed class StoredTree(NpgsqlDataSource source)
{
    // Tiles of leaves in one statement.
    private const int Page = 64;

    private readonly List<string> _damages = [];
    private readonly Frontier _frontier = new();
    private readonly TreeTip _rebuilt = new();
    private TreeTip? _tip;

    /// <summary>Known when all has been read.</summary>
    public IReadOnlyList<string> Damages => _damages;

    /// <summary>Of its last leaf.</summary>
    public long Position => _tip?.Position ?? 0;

    /// <summary>Its roots at the sizes that were asked for.</summary>
    public Dictionary<long, TreeHash> Roots { get; } = [];

    /// <summary>To be called first: what is appended later is not looked at.</summary>
    public async Task OpenAsync(CancellationToken cancel)
    {
        if (await MissingAsync(cancel) is { Length: > 0 } missing)
        {
            // A log from before there was a tree has none until a server runs on it.
            if (await new ChainRows(source).FirstHashedAsync(cancel) is not null)
                _damages.Add($"there is no table {string.Join(", no ", missing)}");
            return;
        }
        try
        {
            _tip = await new TreeTiles(source).TipAsync(cancel);
        }
        catch (InvalidDataException damage)
        {
            _damages.Add(damage.Message);
        }
    }

    private async Task<string[]> MissingAsync(CancellationToken cancel)
    {
        await using var command = source.CreateCommand(
            "select coalesce(array_agg(t), '{}') from unnest(array['eventmail.log_leaves', 'eventmail.log_tile', 'eventmail.log_tip']) t where to_regclass(t) is null");
        return (string[])(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <param name="sizes">Whose roots are wanted.</param>
    public async IAsyncEnumerable<LogLeaf> ReadAsync(IReadOnlySet<long> sizes, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (_tip is null)
            yield break;
        var full = _tip.Size >> TreeTile.Height;
        for (var from = 0L; from < full; from += Page)
        {
            var above = new List<FullTile>();
            foreach (var tile in await LeavesAsync(from, Math.Min(from + Page, full), cancel))
            {
                foreach (var leaf in Leaves(tile, above, sizes))
                    yield return leaf;
            }
            await CompareAsync(above, cancel);
        }
        foreach (var leaf in Leaves(_tip.Leaves, [], sizes))
            yield return leaf;
        if (_damages.Count == 0 && !_rebuilt.ToArray().AsSpan().SequenceEqual(_tip.ToArray()))
            _damages.Add("the end of the stored tree does not follow from its leaves");
    }

    private IEnumerable<LogLeaf> Leaves(ReadOnlyMemory<byte> tile, List<FullTile> above, IReadOnlySet<long> sizes)
    {
        var full = new List<FullTile>();
        for (var at = 0; at < tile.Length; at += LogLeaf.Size)
        {
            var leaf = LogLeaf.Read(tile.Span[at..]);
            if (leaf.Position <= _rebuilt.Position)
            {
                _damages.Add($"a stored leaf of position {leaf.Position} stands behind one of {_rebuilt.Position}");
                continue;
            }
            _rebuilt.Add(leaf, full);
            _frontier.Add(leaf.Hash);
            if (sizes.Contains(_frontier.Size))
                Roots[_frontier.Size] = _frontier.Root();
            yield return leaf;
        }
        above.AddRange(full.Where(t => t.Id.Level > 0));
    }

    private async Task<IReadOnlyList<byte[]>> LeavesAsync(long from, long to, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("select number, leaves from eventmail.log_leaves where number >= $1 and number < $2 order by number");
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = to });
        var tiles = new List<byte[]>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        var expected = from;
        while (await row.ReadAsync(cancel))
        {
            var (number, leaves) = (row.GetInt64(0), row.GetFieldValue<byte[]>(1));
            if (leaves.Length == TreeTile.Width * LogLeaf.Size)
                tiles.Add(leaves);
            else
                _damages.Add($"tile {number} of the stored leaves is not whole");
            if (number > expected)
                _damages.Add($"tiles {expected} to {number - 1} of the stored leaves are missing");
            expected = number + 1;
        }
        if (expected < to)
            _damages.Add($"tiles {expected} to {to - 1} of the stored leaves are missing");
        return tiles;
    }

    private async Task CompareAsync(List<FullTile> above, CancellationToken cancel)
    {
        foreach (var tile in above)
        {
            await using var command = source.CreateCommand("select hashes from eventmail.log_tile where level = $1 and number = $2");
            command.Parameters.Add(new() { Value = tile.Id.Level });
            command.Parameters.Add(new() { Value = tile.Id.Number });
            if (await command.ExecuteScalarAsync(cancel) is not byte[] stored || !stored.AsSpan().SequenceEqual(tile.Content))
                _damages.Add($"tile {tile.Id.Number} of level {tile.Id.Level} of the stored tree does not follow from its leaves");
        }
    }
}
