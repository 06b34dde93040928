using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>Keeps each mailbox's header row in the transaction of its events: one statement a batch.</summary>
public sealed class MailboxListProjection(EventTypeMap types) : IInlineProjection
{
    private const int RebuildPage = 1000;

    public string Name => "mailbox";

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await ProjectionSchema.CreateAsync(connection, MailboxRows.Create + MailboxSnapshotRows.Create, cancel);
        await using var check = new NpgsqlCommand(
            $"""
            select not exists (select from {ProjectionSchema.Name}.mailbox)
              and exists (select from public.mt_streams where type = '{MailboxKind.Instance.Name}')
            """, connection);
        if ((bool)(await check.ExecuteScalarAsync(cancel))!)
            await RebuildAsync(connection, cancel);
    }

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        List<(StreamKey, MailboxState)>? rows = null;
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            if (ReferenceEquals(change.Kind, MailboxKind.Instance))
                (rows ??= new(batch.Changes.Count)).Add((change.Key, (MailboxState)change.After));
        }
        if (rows is not null)
            sql.BatchCommands.Add(MailboxRows.Write(rows));
    }

    // The table was dropped: every row again from the log.
    private async Task RebuildAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string events = """
            select e.tenant_id, e.stream_id, e.version, e.type, e.data
            from public.mt_events e
            join public.mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
            where s.type = $1 and not e.is_archived
            order by e.tenant_id, e.stream_id, e.version
            """;
        var rows = new List<(StreamKey Key, MailboxState State)>();
        await using (var command = new NpgsqlCommand(events, connection) { Parameters = { new() { Value = MailboxKind.Instance.Name } } })
        await using (var reader = await command.ExecuteReaderAsync(cancel))
        {
            while (await reader.ReadAsync(cancel))
            {
                var key = new StreamKey(reader.GetString(0), reader.GetGuid(1));
                if (rows.Count == 0 || rows[^1].Key != key)
                    rows.Add((key, MailboxState.Empty with { View = null }));
                var data = types.Read(reader.GetString(3), System.Text.Encoding.UTF8.GetBytes(reader.GetString(4)));
                rows[^1] = (key, rows[^1].State.Evolve(data, reader.GetInt64(2)));
            }
        }
        foreach (var page in rows.Chunk(RebuildPage))
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(MailboxRows.Write(page));
            await batch.ExecuteNonQueryAsync(cancel);
        }
    }
}
