using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// eventmail.skipped_event: what those that follow the log passed over because it could not be read, for each generation, so that they take it
/// up when it was repaired.
/// </summary>
internal static class SkippedEvents
{
    private const string Add = "insert into eventmail.skipped_event (progression, seq_id) select $1, unnest($2::bigint[]) on conflict do nothing";
    private const string Select = "select seq_id from eventmail.skipped_event where progression = $1 order by seq_id limit 1000";
    private const string Delete = "delete from eventmail.skipped_event where progression = $1 and seq_id = $2";

    /// <summary>Notes those of a page, in the transaction that moves the position over them.</summary>
    /// <param name="progression">Null: for tables that will not be there for long.</param>
    /// <param name="lacking">Positions of others that the page would have needed (<see cref="IAsyncProjection.TakeLacking"/>).</param>
    public static async Task NoteAsync(
        NpgsqlTransaction transaction, string? progression, IEnumerable<StoredEvent> events, IReadOnlyCollection<long> lacking, CancellationToken cancel)
    {
        List<StoredEvent>? skipped = null;
        foreach (var e in events)
        {
            if (e.Data is UnreadableEvent)
                (skipped ??= []).Add(e);
        }
        if (skipped is null && (lacking.Count == 0 || progression is null))
            return;
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        foreach (var e in skipped ?? [])
            batch.BatchCommands.Add(UnreadableEvents.Note(UnreadableRow.Of(e, ((UnreadableEvent)e.Data).Error)));
        if (progression is not null)
            batch.BatchCommands.Add(new(Add) { Parameters = { new() { Value = progression }, new() { Value = (skipped ?? []).Select(e => e.Sequence).Concat(lacking).Distinct().ToArray() } } });
        await batch.ExecuteNonQueryAsync(cancel);
    }

    public static async Task<long[]> ReadAsync(NpgsqlConnection connection, string progression, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Select, connection) { Parameters = { new() { Value = progression } } };
        var positions = new List<long>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
            positions.Add(row.GetInt64(0));
        return [.. positions];
    }

    public static NpgsqlBatchCommand Forget(string progression) => new("delete from eventmail.skipped_event where progression = $1")
    {
        Parameters = { new() { Value = progression } },
    };

    public static async Task ForgetAsync(NpgsqlTransaction transaction, string progression, long position, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Delete, transaction.Connection, transaction)
        {
            Parameters = { new() { Value = progression }, new() { Value = position } },
        };
        await command.ExecuteNonQueryAsync(cancel);
    }
}
