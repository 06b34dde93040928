using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>
/// Holds a stretch of the log against the leaves that the stored tree has of it: so the end of a stream, and a whole stream, that are gone with all that tells of
/// them are missed, as long as the tree was not altered with them. Whether the tree is what it was, checkpoints say.
/// </summary>
internal sealed class StretchLeaves(NpgsqlDataSource source)
{
    // One snapshot: a tree that is filled anew meanwhile is either the one or the other. From the tile that has the first position to the one behind the last.
    private const string Stretch = """
        select b.*, l.number, l.leaves from (
          select t.size, t.position, t.tiles,
            coalesce((select number from eventmail.log_leaves where first <= $1 + 1 order by first desc limit 1), 0) as from_number,
            coalesce((select number from eventmail.log_leaves where first > $2 order by first limit 1), t.size / 256 - 1) as to_number
          from eventmail.log_tip t) b
        left join eventmail.log_leaves l on l.number between b.from_number and b.to_number
        order by l.number
        """;

    private const string Whole = $"""
        select t.size, t.position, t.tiles,
          (select count(*) from eventmail.log_leaves l where l.number < t.size / 256 and octet_length(l.leaves) = 256 * 40)
        from eventmail.log_tip t
        """;

    /// <param name="rows">All events of the stretch, in order, each with the hash that is its leaf's.</param>
    /// <param name="upTo">At or below the log's end.</param>
    public async Task<List<ChainFault>> FaultsAsync(IReadOnlyList<(ChainRow Row, TreeHash Hash)> rows, long after, long upTo, CancellationToken cancel)
    {
        var faults = new List<ChainFault>();
        // What is not whole says nothing of single events; it is told as a whole (DamagesAsync).
        if (await LeavesAsync(after, upTo, cancel) is not var (leaves, end))
            return faults;
        var at = 0;
        foreach (var (row, hash) in rows)
        {
            for (; at < leaves.Count && leaves[at].Position < row.Position; at++)
                faults.Add(Removed(leaves[at].Position));
            if (at < leaves.Count && leaves[at].Position == row.Position)
            {
                if (leaves[at++].Event != hash)
                    faults.Add(ChainFault.Of(ChainFaultKind.Changed, row, "it is not the event that the tree of the log took in here: it was changed with its hash, or another stands in its place"));
            }
            else if (row.Position < end)
                faults.Add(ChainFault.Of(ChainFaultKind.Inserted, row, "the tree of the log never took it in, though it has events behind it"));
        }
        for (; at < leaves.Count; at++)
            faults.Add(Removed(leaves[at].Position));
        return faults;
    }

    /// <summary>Leaves that are not there at all.</summary>
    public async Task<IReadOnlyList<ChainFault>> DamagesAsync(CancellationToken cancel)
    {
        try
        {
            await using var command = source.CreateCommand(Whole);
            await using var row = await command.ExecuteReaderAsync(cancel);
            if (!await row.ReadAsync(cancel))
                return [Damage("its end is gone")];
            var tip = TreeTip.Read(row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2));
            return row.GetInt64(3) == tip.Size >> TreeTile.Height ? [] : [Damage("leaves of it are missing")];
        }
        catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return [Damage("a table of it is gone")];
        }
        catch (InvalidDataException damage)
        {
            return [Damage(damage.Message)];
        }
    }

    private static ChainFault Removed(long position) =>
        ChainFault.OfLog(ChainFaultKind.Removed, "the tree of the log took in an event here, and the log has none any more", position);

    private static ChainFault Damage(string how) =>
        ChainFault.OfLog(ChainFaultKind.Tree, $"the stored tree is damaged: {how}; `eventmail audit verify` tells whether the log is what checkpoints say");

    /// <summary>The leaves of the stretch, and the position of the tree's last; null where it is not whole there.</summary>
    private async Task<(List<LogLeaf> Leaves, long End)?> LeavesAsync(long after, long upTo, CancellationToken cancel)
    {
        var leaves = new List<LogLeaf>();
        try
        {
            await using var command = source.CreateCommand(Stretch);
            command.Parameters.Add(new() { Value = after });
            command.Parameters.Add(new() { Value = upTo });
            await using var row = await command.ExecuteReaderAsync(cancel);
            if (!await row.ReadAsync(cancel))
                return null;
            var tip = TreeTip.Read(row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2));
            var (next, last) = (row.GetInt64(3), row.GetInt64(4));
            for (var more = true; next <= last; next++, more = await row.ReadAsync(cancel))
            {
                if (!more || row.IsDBNull(5) || row.GetInt64(5) != next || row.GetFieldValue<byte[]>(6) is not { Length: TreeTile.Width * LogLeaf.Size } tile)
                    return null;
                Add(tile);
            }
            // Behind the last full tile; left out below where the stretch ends before it.
            Add(tip.Leaves);
            return (leaves, tip.Position);
        }
        catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return null;
        }
        catch (InvalidDataException)
        {
            return null;
        }

        void Add(ReadOnlyMemory<byte> tile)
        {
            for (var at = 0; at < tile.Length; at += LogLeaf.Size)
                if (LogLeaf.Read(tile.Span[at..]) is var leaf && leaf.Position > after && leaf.Position <= upTo)
                    leaves.Add(leaf);
        }
    }
}
