using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Metadata;

/// <summary>Annotations as rows, in the transaction of their events; a mailbox's row goes with it.</summary>
public sealed class MetadataProjection : IInlineProjection
{
    public string Name => "metadata";

    public IReadOnlyList<string> Tables => ["metadata", "metadata_octets"];

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, MetadataRows.Create, cancel);

    public bool Reads(object @event) => false;

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
