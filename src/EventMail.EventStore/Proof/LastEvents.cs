using Npgsql;

namespace EventMail.EventStore;

/// <summary>Reads what the next events of streams follow, where it is not known from memory.</summary>
internal static class LastEvents
{
    // An archived event is the predecessor of the next all the same.
    private const string Sql = $"""
        select s.n, {EventFactsRow.Columns}
        from unnest($1::varchar[], $2::uuid[], $3::bigint[]) with ordinality as s (tenant_id, id, version, n)
        join public.mt_events e on e.tenant_id = s.tenant_id and e.stream_id = s.id and e.version = s.version
        """;

    /// <summary>
    /// The event of each stream's version, in the order given; null where the log has none. One without a hash is hashed from its row,
    /// as if it were the first of its stream.
    /// </summary>
    public static async Task<LastEvent?[]> ReadAsync(
        NpgsqlConnection connection, NpgsqlTransaction? transaction, IReadOnlyList<(StreamKey Key, long Version)> streams, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Sql, connection, transaction)
        {
            Parameters =
            {
                new() { Value = streams.Select(s => s.Key.Tenant).ToArray() },
                new() { Value = streams.Select(s => s.Key.Id).ToArray() },
                new() { Value = streams.Select(s => s.Version).ToArray() },
            },
        };
        var found = new LastEvent?[streams.Count];
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            var facts = EventFactsRow.Read(rows, 1, out var hash);
            found[rows.GetInt64(0) - 1] = new(hash ?? EventHash.Of(facts), facts.Time);
        }
        return found;
    }
}
