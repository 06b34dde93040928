using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>The stored tiles of the log's tree. Thread-safe.</summary>
internal sealed class TreeTiles(NpgsqlDataSource source)
{
    private const string Full = """
        select 0, number, leaves from eventmail.log_leaves where number = any($1)
        union all
        select level, number, hashes from eventmail.log_tile where (level, number) in (select * from unnest($2, $3))
        """;

    public async Task<TreeTip> TipAsync(CancellationToken cancel) =>
        await ReadTipAsync(source.CreateCommand("select size, position, tiles from eventmail.log_tip"), cancel);

    /// <exception cref="InvalidDataException">It is missing or damaged.</exception>
    public static async Task<TreeTip> ReadTipAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        await using var _ = command;
        await using var row = await command.ExecuteReaderAsync(cancel);
        return await row.ReadAsync(cancel)
            ? TreeTip.Read(row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2))
            : throw new InvalidDataException("the end of the log's tree is gone: eventmail.log_tip has no row");
    }

    /// <summary>The hashes over ranges of leaves, of the tree as it is at <paramref name="tip"/> or was before.</summary>
    public async Task<IReadOnlyList<TreeHash>> HashesAsync(TreeTip tip, IReadOnlyList<LeafRange> ranges, CancellationToken cancel)
    {
        var needed = ranges.SelectMany(range => range.Nodes()).Select(TileId.Holding).ToHashSet();
        var tiles = await ReadAsync([.. needed.Where(id => !tip.Holds(id))], cancel);
        foreach (var id in needed.Where(tip.Holds))
            tiles[id] = tip.Tile(id.Level);
        return [.. ranges.Select(range => range.Hash(node => tiles[TileId.Holding(node)].Hash(node)))];
    }

    public async Task<(long Index, LogLeaf Leaf)?> FindAsync(TreeTip tip, long position, CancellationToken cancel)
    {
        var (number, leaves) = (tip.Size >> TreeTile.Height, tip.Leaves);
        if (leaves.IsEmpty || position < LogLeaf.Read(leaves.Span).Position)
        {
            await using var command = source.CreateCommand(
                "select number, leaves from eventmail.log_leaves where first <= $1 order by first desc limit 1");
            command.Parameters.Add(new() { Value = position });
            await using var row = await command.ExecuteReaderAsync(cancel);
            if (!await row.ReadAsync(cancel))
                return null;
            (number, leaves) = (row.GetInt64(0), row.GetFieldValue<byte[]>(1));
        }
        for (var i = 0; i < leaves.Length / LogLeaf.Size; i++)
        {
            if (LogLeaf.Read(leaves.Span[(i * LogLeaf.Size)..]) is var leaf && leaf.Position == position)
                return ((number << TreeTile.Height) + i, leaf);
        }
        return null;
    }

    /// <exception cref="InvalidDataException">One of them is missing, or has another length.</exception>
    private async Task<Dictionary<TileId, TreeTile>> ReadAsync(IReadOnlyList<TileId> ids, CancellationToken cancel)
    {
        var tiles = new Dictionary<TileId, TreeTile>();
        if (ids.Count == 0)
            return tiles;
        var above = ids.Where(id => id.Level > 0).ToList();
        await using var command = source.CreateCommand(Full);
        command.Parameters.Add(new() { Value = ids.Where(id => id.Level == 0).Select(id => id.Number).ToArray() });
        command.Parameters.Add(new() { Value = above.Select(id => id.Level).ToArray() });
        command.Parameters.Add(new() { Value = above.Select(id => id.Number).ToArray() });
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            var (level, content) = (row.GetInt32(0), row.GetFieldValue<byte[]>(2));
            tiles[new(level, row.GetInt64(1))] = level == 0 ? TreeTile.OfLeaves(content) : TreeTile.OfHashes(content);
        }
        foreach (var id in ids)
        {
            if (tiles.GetValueOrDefault(id)?.Count != TreeTile.Width)
                throw new InvalidDataException($"tile {id.Number} of level {id.Level} of the log's tree is missing or damaged");
        }
        return tiles;
    }
}
