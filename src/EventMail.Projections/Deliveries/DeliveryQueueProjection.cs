using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// The queue: a row for each message and domain in which somebody is still waiting, in the transaction of the events. At most two
/// statements a batch, and one more when an account is resumed. A begun attempt changes no row: the log and the lease say that it is under way.
/// </summary>
public sealed class DeliveryQueueProjection : IInlineProjection
{
    public string Name => "delivery_queue";

    public IReadOnlyList<string> Tables => ["delivery_queue"];

    public IReadOnlyList<string> BesideTheLog => ["lease", "owner", "wake", "ready"];

    public Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel) => SqlScript.RunAsync("delivery_queue.sql", connection, cancel);

    // Whoever has claimed a row has it still; what was seen to be due is seen again.
    public string CarryOver(string from, string to) => $"""
        update {to}.delivery_queue n set lease = o.lease, owner = o.owner
        from {from}.delivery_queue o where o.lease is not null and n.id = o.id and n.domain = o.domain and n.due = o.due
        """;

    public bool Reads(object @event) => false;

    public void Fold(CommitBatch batch, NpgsqlBatch sql)
    {
        List<QueueRow>? written = null;
        List<(Guid Id, string Domain)>? gone = null;
        var claims = FirstClaim.In(batch);
        List<string>? resumed = null;
        foreach (var change in batch.Changes)
        {
            if (change.EndsHalt())
                (resumed ??= []).Add(change.Key.Tenant);
            if (change is not { Before: DeliveryState before, After: DeliveryState after })
                continue;
            foreach (var (old, destination) in before.ChangesTo(after))
            {
                if (destination is null)
                    (gone ??= []).Add((change.Key.Id, old!.Domain));
                else if (QueueRow.Of(change.Key, after, destination) is var row && (old is null || row != QueueRow.Of(change.Key, before, old) || (batch.Building && destination.UnderWay is not null)))
                    (written ??= []).Add(claims.TryGetValue(change.Key, out var claim) ? row.ClaimedBy(claim) : row);
            }
        }
        if (written is not null)
            sql.BatchCommands.Add(QueueRow.Write(written));
        if (gone is not null)
            sql.BatchCommands.Add(QueueRow.Remove(gone));
        if (resumed is not null)
            sql.BatchCommands.Add(DeliveryQueue.LetGo([.. resumed]));
    }
}
