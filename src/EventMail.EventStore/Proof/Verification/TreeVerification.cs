using System.Globalization;
using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>
/// Holds today's log against checkpoints, and against the tree that was kept of it. Every position and hash is read; whether rows are what
/// their hashes say is the chains' to tell. Memory does not grow with the log. It opens nothing that is sealed, and changes nothing.
/// </summary>
/// <param name="source">Its search path does not matter.</param>
public sealed class TreeVerification(NpgsqlDataSource source)
{
    private const int Page = 10_000;

    /// <param name="checkpoints">Signatures are not looked at.</param>
    /// <param name="progress">Gets the number of events that have been read.</param>
    public async Task<TreeReport> RunAsync(IReadOnlyList<Checkpoint> checkpoints, Action<long>? progress, CancellationToken cancel)
    {
        var sizes = checkpoints.Select(checkpoint => checkpoint.Size).ToHashSet();
        var roots = new Dictionary<long, TreeHash> { [0] = TreeHash.Empty };
        var (tree, differences, stored) = (new Frontier(), new LeafDifferences(), new StoredTree(source));
        await stored.OpenAsync(cancel);
        var end = await new ChainRows(source).LastAsync(cancel);

        await using var kept = stored.ReadAsync(sizes, cancel).GetAsyncEnumerator(cancel);
        var more = await kept.MoveNextAsync();
        await foreach (var leaf in LeavesAsync(end, cancel))
        {
            for (; more && kept.Current.Position < leaf.Position; more = await kept.MoveNextAsync())
                differences.Add(kept.Current.Position, kept.Current.Event, null);
            if (more && kept.Current.Position == leaf.Position)
            {
                if (kept.Current.Event != leaf.Event)
                    differences.Add(leaf.Position, kept.Current.Event, leaf.Event);
                more = await kept.MoveNextAsync();
            }
            // Behind the tree's end an event is new, unless it is one that is missing before.
            else if (leaf.Position < stored.Position || differences.IsGone(leaf.Event))
                differences.Add(leaf.Position, null, leaf.Event);
            tree.Add(leaf.Hash);
            if (sizes.Contains(tree.Size))
                roots[tree.Size] = tree.Root();
            progress?.Invoke(tree.Size);
        }
        for (; more; more = await kept.MoveNextAsync())
            differences.Add(kept.Current.Position, kept.Current.Event, null);

        return new(
            tree.Size, tree.Root(),
            [.. checkpoints.Select(c => new CheckpointFinding(c, VerdictOf(c, roots), stored.Roots.TryGetValue(c.Size, out var root) && root == c.Root))],
            differences.Findings(), differences.More, stored.Damages);
    }

    /// <summary>What stands at positions today: type, stream, time.</summary>
    public async Task<IReadOnlyDictionary<long, string>> NamesAsync(IReadOnlyCollection<long> positions, CancellationToken cancel)
    {
        var names = new Dictionary<long, string>();
        await using var command = source.CreateCommand(
            "select seq_id, type, version, tenant_id, stream_id, timestamp::text from public.mt_events where seq_id = any($1)");
        command.Parameters.Add(new() { Value = positions.ToArray() });
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            names.Add(row.GetInt64(0), string.Create(CultureInfo.InvariantCulture,
                $"{row.GetString(1)}, version {row.GetInt64(2)} of {row.GetValue(3)}/{row.GetValue(4)}, {row.GetString(5)}"));
        return names;
    }

    private static CheckpointVerdict VerdictOf(Checkpoint checkpoint, Dictionary<long, TreeHash> roots) =>
        !roots.TryGetValue(checkpoint.Size, out var root) ? CheckpointVerdict.LogIsShorter
        : root == checkpoint.Root ? CheckpointVerdict.Holds
        : CheckpointVerdict.Differs;

    // The next page is on its way while one is worked on.
    private async IAsyncEnumerable<LogLeaf> LeavesAsync(long end, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var next = PageAsync(0, end, cancel);
        try
        {
            while (await next is { Count: > 0 } page)
            {
                next = page.Count < Page ? Task.FromResult<IReadOnlyList<LogLeaf>>([]) : PageAsync(page[^1].Position, end, cancel);
                foreach (var leaf in page)
                    yield return leaf;
            }
        }
        finally
        {
            await Task.WhenAny(next);
        }
    }

    private async Task<IReadOnlyList<LogLeaf>> PageAsync(long after, long end, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        return await LeafRows.ReadAsync(connection, null, after, end, Page, cancel);
    }
}
