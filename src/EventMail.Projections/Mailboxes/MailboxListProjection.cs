using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>Keeps each mailbox's header row in the transaction of its events: one statement a batch.</summary>
public sealed class MailboxListProjection(EventTypeMap types) : IInlineProjection
{
    private const int RebuildPage = 1000;

    public string Name => "mailbox";

    public IReadOnlyList<string> Tables => ["mailbox"];

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var isDue = await InlineRebuild.IsDueAsync(connection, cancel, "mailbox");
        await SqlScript.ExecuteAsync(connection, MailboxRows.Create, cancel);
        if (isDue)
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

    // Every row from the log. Only headers: the messages of a mailbox are in no row.
    private async Task RebuildAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var rows = new List<(StreamKey Key, MailboxState State)>(RebuildPage);
        await foreach (var e in InlineRebuild.EventsAsync(MailboxKind.Instance, types, connection, cancel))
        {
            if (rows.Count == 0 || rows[^1].Key != e.Stream)
            {
                if (rows.Count == RebuildPage)
                    await FlushAsync();
                rows.Add((e.Stream, MailboxState.Empty with { View = null }));
            }
            rows[^1] = (e.Stream, rows[^1].State.Evolve(e.Data, e.Version, e.Timestamp));
        }
        await FlushAsync();

        async Task FlushAsync()
        {
            if (rows.Count == 0)
                return;
            await using var batch = new NpgsqlBatch(connection);
            batch.BatchCommands.Add(MailboxRows.Write(rows));
            await batch.ExecuteNonQueryAsync(cancel);
            rows.Clear();
        }
    }
}
