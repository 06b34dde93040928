using Npgsql;
using NpgsqlTypes;

namespace EventMail.EventStore.Proof;

/// <summary>
/// The tree over the log, kept in tables behind the commits: a leaf for every event, archived ones and other applications' included, in the
/// order of their positions. It is no projection of what events mean: it reads positions and hashes alone, so that no event can be
/// unreadable to it, and it is never built anew by itself. Whoever wants to append does so under the lock of its last row. Thread-safe.
/// </summary>
public sealed class LogTree(EventLog log)
{
    // Leaves that are appended in one transaction.
    private const int Page = 4096;

    // Up to here everything is in the tree, as far as this process has seen.
    private long _position;

    private readonly TreeTiles _tiles = new(log.DataSource);

    /// <summary>Appends what is safe to append now: below it no event can appear any more. Cheap when there is nothing.</summary>
    /// <returns>How many events were appended.</returns>
    /// <exception cref="InvalidDataException">The tree's end is damaged.</exception>
    public async Task<long> AdvanceAsync(CancellationToken cancel)
    {
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel);
        var (safe, _) = await log.Reader.Safe.AdvanceAsync(connection, cancel);
        return await AdvanceAsync(connection, safe, cancel);
    }

    /// <summary>Appends every event that was committed before the call; waits for transactions that may still commit one before them.</summary>
    public async Task CatchUpAsync(CancellationToken cancel)
    {
        var end = await log.Reader.EndAsync(cancel);
        await using var connection = await log.DataSource.OpenConnectionAsync(cancel);
        await AdvanceAsync(connection, end, cancel);
    }

    /// <summary>How large it is now.</summary>
    public Task<TreeTip> TipAsync(CancellationToken cancel) => _tiles.TipAsync(cancel);

    /// <summary>The root of the tree when it had so many leaves.</summary>
    /// <exception cref="InvalidDataException">Tiles that it needs are missing or damaged.</exception>
    public async Task<TreeHash> RootAsync(TreeTip tip, long size, CancellationToken cancel) =>
        size == 0 ? TreeHash.Empty : (await _tiles.HashesAsync(tip, [new(0, size)], cancel))[0];

    /// <summary>What shows that a leaf is in the tree as it was when it had <paramref name="size"/> leaves.</summary>
    public Task<IReadOnlyList<TreeHash>> InclusionAsync(TreeTip tip, long index, long size, CancellationToken cancel) =>
        _tiles.HashesAsync(tip, TreePaths.Inclusion(index, size), cancel);

    /// <summary>What shows that the tree of the first leaves is the beginning of that of <paramref name="size"/> leaves.</summary>
    public Task<IReadOnlyList<TreeHash>> ConsistencyAsync(TreeTip tip, long older, long size, CancellationToken cancel) =>
        _tiles.HashesAsync(tip, TreePaths.Consistency(older, size), cancel);

    /// <summary>The leaf of a position and its number; null when the tree has none.</summary>
    public Task<(long Index, LogLeaf Leaf)?> FindAsync(TreeTip tip, long position, CancellationToken cancel) => _tiles.FindAsync(tip, position, cancel);

    private async Task<long> AdvanceAsync(NpgsqlConnection connection, long safe, CancellationToken cancel)
    {
        var appended = 0L;
        while (Volatile.Read(ref _position) < safe)
        {
            var count = await AppendPageAsync(connection, safe, cancel);
            appended += count;
            if (count < Page)
                Volatile.Write(ref _position, safe);
        }
        return appended;
    }

    private static async Task<int> AppendPageAsync(NpgsqlConnection connection, long safe, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        // Lost, it is done again: the checkpoints that were signed over it are not lost, and the next one is compared with them.
        await ExecuteAsync(new("set local synchronous_commit = off", connection, transaction), cancel);
        var tip = await TreeTiles.ReadTipAsync(new("select size, position, tiles from eventmail.log_tip for update", connection, transaction), cancel);
        var leaves = await LeafRows.ReadAsync(connection, transaction, tip.Position, safe, Page, cancel);
        if (leaves.Count == 0)
            return 0;
        var full = new List<FullTile>();
        foreach (var leaf in leaves)
            tip.Add(leaf, full);
        await WriteAsync(connection, transaction, tip, full, cancel);
        await transaction.CommitAsync(cancel);
        return leaves.Count;
    }

    private static async Task WriteAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, TreeTip tip, List<FullTile> full, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        var leaves = full.Where(tile => tile.Id.Level == 0).ToList();
        if (leaves.Count > 0)
            batch.BatchCommands.Add(new("insert into eventmail.log_leaves (number, first, leaves) select * from unnest($1, $2, $3)")
            {
                Parameters =
                {
                    new() { Value = leaves.Select(tile => tile.Id.Number).ToArray() },
                    new() { Value = leaves.Select(tile => LogLeaf.Read(tile.Content).Position).ToArray() },
                    new() { Value = leaves.Select(tile => tile.Content).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
                },
            });
        var above = full.Where(tile => tile.Id.Level > 0).ToList();
        if (above.Count > 0)
            batch.BatchCommands.Add(new("insert into eventmail.log_tile (level, number, hashes) select * from unnest($1, $2, $3)")
            {
                Parameters =
                {
                    new() { Value = above.Select(tile => tile.Id.Level).ToArray() },
                    new() { Value = above.Select(tile => tile.Id.Number).ToArray() },
                    new() { Value = above.Select(tile => tile.Content).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
                },
            });
        batch.BatchCommands.Add(new("update eventmail.log_tip set size = $1, position = $2, tiles = $3")
        {
            Parameters = { new() { Value = tip.Size }, new() { Value = tip.Position }, new() { Value = tip.ToArray() } },
        });
        await batch.ExecuteNonQueryAsync(cancel);
    }

    private static async Task ExecuteAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        await using (command)
            await command.ExecuteNonQueryAsync(cancel);
    }
}
