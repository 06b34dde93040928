using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// The queue: a row for each message and domain in which somebody is still waiting, in the transaction of the events. At most two
/// statements a batch, and one more when an account is resumed. A begun attempt changes no row: the log and the lease say that it is under way.
/// </summary>
public sealed class DeliveryQueueProjection(EventTypeMap types) : IInlineProjection
{
    public string Name => "delivery_queue";

    public IReadOnlyList<string> Tables => ["delivery_queue"];

    public async Task CreateAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var isDue = await InlineRebuild.IsDueAsync(connection, cancel, "delivery_queue");
        await SqlScript.RunAsync("delivery_queue.sql", connection, cancel);
        if (isDue)
            await InlineRebuild.WholeStreamsAsync(this, DeliveryKind.Instance, types, connection, cancel);
    }

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
                else if (QueueRow.Of(change.Key, after, destination) is var row && (old is null || row != QueueRow.Of(change.Key, before, old)))
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
