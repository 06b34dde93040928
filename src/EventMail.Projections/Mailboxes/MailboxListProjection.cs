using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>Keeps each mailbox's header row in the transaction of its events: one statement a batch.</summary>
public sealed class MailboxListProjection : IInlineProjection
{
    public string Name => "mailbox";

    public IReadOnlyList<string> Tables => ["mailbox"];

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, MailboxRows.Create, cancel);

    public bool Reads(object @event) => false;

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
}
