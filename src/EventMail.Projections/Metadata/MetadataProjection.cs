using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Metadata;

/// <summary>Annotations as rows, in the transaction of their events; a mailbox's row goes with it.</summary>
public sealed class MetadataProjection(EventTypeMap types) : IInlineProjection
{
    // Whoever deleted a mailbox before the rows were made has deleted its annotations, too.
    private const string OfDeletedMailboxes = """
        with gone as (
          delete from metadata m using mailbox b
          where b.tenant_id = m.tenant_id and b.id = m.mailbox and b.deleted
          returning m.tenant_id, m.id)
        delete from metadata_octets o using gone where o.tenant_id = gone.tenant_id and o.id = gone.id
        """;

    public string Name => "metadata";

    public IReadOnlyList<string> Tables => ["metadata", "metadata_octets"];

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var isDue = await InlineRebuild.IsDueAsync(connection, cancel, "metadata", "metadata_octets");
        await SqlScript.ExecuteAsync(connection, MetadataRows.Create, cancel);
        if (!isDue)
            return;
        await InlineRebuild.WholeStreamsAsync(this, MetadataKind.Instance, types, connection, cancel);
        await using var command = new NpgsqlCommand(OfDeletedMailboxes, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        List<(StreamKey, MetadataState, long)>? rows = null;
        List<StreamKey>? gone = null;
        foreach (var change in batch.Changes)
        {
            if (change.After is MetadataState after)
                (rows ??= []).Add((change.Key, after, change.ToVersion));
            else if (change.After is MailboxState { Deleted: true })
                (gone ??= []).Add(MetadataKind.OfMailbox(change.Key).Key);
        }
        foreach (var statement in rows is null ? [] : MetadataRows.Write(rows))
            sql.BatchCommands.Add(statement);
        foreach (var statement in gone is null ? [] : MetadataRows.Remove(gone))
            sql.BatchCommands.Add(statement);
    }
}
