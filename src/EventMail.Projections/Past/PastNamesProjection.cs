using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>Which mailboxes there were and what they were called, in the transaction of the events that say so.</summary>
public sealed class PastNamesProjection : IInlineProjection
{
    public string Name => "past_name";

    public IReadOnlyList<string> Tables => [PastNameRows.Table];

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.ExecuteAsync(connection, PastNameRows.Create, cancel);

    public bool Reads(object @event) => @event is MailboxCreated or MailboxRenamed or MailboxRestored or MailboxDeleted;

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        List<PastName>? rows = null;
        for (var i = 0; i < batch.Changes.Count; i++)
        {
            var change = batch.Changes[i];
            if (!ReferenceEquals(change.Kind, MailboxKind.Instance))
                continue;
            for (var k = 0; k < change.Events.Count; k++)
            {
                if (NameIn(change.Events[k]) is not { } row)
                    continue;
                rows ??= [];
                // Of a row of the log that is read as several events the last name counts.
                if (rows.Count > 0 && rows[^1] is var same && same.Mailbox == row.Mailbox && same.Version == row.Version)
                    rows[^1] = row with { UidValidity = row.UidValidity ?? same.UidValidity, SpecialUse = row.SpecialUse ?? same.SpecialUse };
                else
                    rows.Add(row);
            }
        }
        if (rows is not null)
            sql.BatchCommands.Add(PastNameRows.Write(rows));
    }

    private static PastName? NameIn(StoredEvent e) => e.Data switch
    {
        MailboxCreated created => new(e.Stream, e.Version, e.Timestamp, created.Name, created.UidValidity, created.SpecialUse),
        MailboxRenamed renamed => new(e.Stream, e.Version, e.Timestamp, renamed.To, null, null),
        MailboxRestored restored => new(e.Stream, e.Version, e.Timestamp, restored.Name, null, null),
        MailboxDeleted => new(e.Stream, e.Version, e.Timestamp, null, null, null),
        _ => null,
    };
}
