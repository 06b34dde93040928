using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>Leaves from the rows of the log: the hash that stands in an event's headers, or that of its row where it has none.</summary>
internal static class LeafRows
{
    private const string Hashes = """
        select seq_id, headers ->> 'hash' from public.mt_events where seq_id > $1 and seq_id <= $2 order by seq_id limit $3
        """;

    /// <summary>At most so many of the leaves above one position and up to another, in order.</summary>
    public static async Task<IReadOnlyList<LogLeaf>> ReadAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, long after, long to, int limit, CancellationToken cancel)
    {
        var leaves = new List<LogLeaf>();
        var bare = new List<long>();
        await using (var command = new NpgsqlCommand(Hashes, connection, transaction)
        {
            Parameters = { new() { Value = after }, new() { Value = to }, new() { Value = limit } },
        })
        await using (var row = await command.ExecuteReaderAsync(cancel))
        {
            while (await row.ReadAsync(cancel))
            {
                var position = row.GetInt64(0);
                byte[]? hash = null;
                if (row.IsDBNull(1) || !EventHash.TryParse(row.GetString(1), out hash))
                    bare.Add(position);
                leaves.Add(new(position, hash is null ? default : TreeHash.Read(hash)));
            }
        }
        if (bare.Count == 0)
            return leaves;
        var computed = await ComputeAsync(connection, transaction, bare, cancel);
        return [.. leaves.Select(leaf => computed.TryGetValue(leaf.Position, out var hash) ? leaf with { Event = hash } : leaf)];
    }

    /// <summary>The hashes of events that have none of their own.</summary>
    public static async Task<Dictionary<long, TreeHash>> ComputeAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, IReadOnlyCollection<long> positions, CancellationToken cancel)
    {
        var hashes = new Dictionary<long, TreeHash>(positions.Count);
        await using var command = new NpgsqlCommand(
            $"select e.seq_id, {EventFactsRow.Columns} from public.mt_events e where e.seq_id = any($1)", connection, transaction)
        {
            Parameters = { new() { Value = positions.ToArray() } },
        };
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            hashes.Add(row.GetInt64(0), TreeHash.Read(EventHash.Of(EventFactsRow.Read(row, 1, out _))));
        return hashes;
    }
}
