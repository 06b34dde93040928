using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Mailboxes;

/// <summary>The tables of persisted views. No commit writes them: <see cref="MailboxSnapshots"/> does, behind the commits.</summary>
public sealed class MailboxSnapshotTables : IInlineProjection
{
    public string Name => "mailbox_snapshot";

    public IReadOnlyList<string> Tables => ["mailbox_snapshot", "mailbox_segment"];

    public ReadModelSource Source => ReadModelSource.Contents;

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) =>
        SqlScript.ExecuteAsync(connection, MailboxSnapshotRows.Create, cancel);

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
    }
}
