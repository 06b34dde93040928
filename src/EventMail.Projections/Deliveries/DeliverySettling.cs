using System.Text.Json.Nodes;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Deliveries;

/// <summary>Decides what came of attempts, composes what senders are told of it, and writes both in one transaction. Thread-safe.</summary>
internal sealed class DeliverySettling(
    CommandExecutor executor, SenderNotifications notifications, Directory directory, MailboxService mailboxes, DeliveryOptions options)
{
    /// <summary>
    /// How often a delivery here is looked up anew because its mailboxes changed meanwhile; then it waits until its lease is over.
    /// </summary>
    private const int MaxLookUps = 5;

    /// <summary>Of what the agent does.</summary>
    public EventMetadata Metadata { get; } = new(
        "system", "delivery", null, new JsonObject { ["protocol"] = "delivery", ["node"] = options.Node }.ToJsonString());

    public Task<RecordedAttempt> RecordAsync(QueuedDelivery row, AttemptReport report, CancellationToken cancel)
    {
        var random = options.Random();
        return SettleAsync(row.Stream, row.Domain, cancel, (state, now) =>
            AttemptDecider.Record(state, row.Domain, row.Attempt, report, options.Node, now, options.Rules, random));
    }

    public Task GiveUpAsync(StreamKey stream, string domain, CancellationToken cancel)
    {
        var random = options.Random();
        return SettleAsync(stream, domain, cancel, (state, now) => AttemptDecider.GiveUp(state, domain, now, options.Rules, random));
    }

    public Task ExpireAsync(StreamKey stream, string domain, CancellationToken cancel) =>
        SettleAsync(stream, domain, cancel, (state, now) => AttemptDecider.Expire(state, domain, now));

    /// <summary>Whether anything of an account's mail may go out.</summary>
    public ValueTask<DeliveryHalt> HaltAsync(string account, CancellationToken cancel) => directory.HaltAsync(account, cancel);

    /// <summary>Takes what an account has waiting out of the queue that was closed while it was suspended, or after it moved away. Nobody is there to be told.</summary>
    public async Task CancelAsync(StreamKey stream, string domain, CancellationToken cancel) => await executor.ExecuteAsync(
        new DeliveryCommand(stream, state => DeliveryDecider.Cancel(state, domain, "its account was closed while it was suspended"), Metadata) { OnWhatIsLeft = true }, cancel);

    /// <summary>Such a domain's recipients need no other server: it is ours, or has become so.</summary>
    public ValueTask<bool> IsHereAsync(string domain, CancellationToken cancel) => directory.IsLocalDomainAsync(domain, cancel);

    /// <summary>An attempt of our own, with its outcome in the transaction that begins it.</summary>
    public async Task DeliverHereAsync(StreamKey stream, string domain, CancellationToken cancel)
    {
        var random = options.Random();
        for (var lookUp = 0; lookUp < MaxLookUps; lookUp++)
        {
            var loaded = await executor.RefreshAsync(DeliveryKind.Stream(stream), cancel);
            var now = options.Clock.GetUtcNow();
            var state = (DeliveryState)loaded.State;
            if (state.Find(domain) is not { UnderWay: null } destination || state.Held)
                return;
            var visit = await LocalVisit.LookUpAsync(state, destination, directory, cancel);
            var receiving = await mailboxes.Arrivals.ReceivingAsync(
                visit.Locals, state.Message!.Content, state.Message.Sender, state.Message.MessageId, QuotaRule.SomeoneFits, cancel);
            if (receiving.Rejection is not null)
                visit = visit.WithoutMailboxes(); // an account was closed this very moment
            var settlement = visit.Settle(state, destination, options, now, random);
            var notices = await notifications.PrepareAsync(
                stream.Tenant, state.Message!, state.Submitted, settlement.Notices, notifications.Stored(state.Message!), now, cancel);
            var arrival = visit.Locals.Count > 0 ? new LocalArrival(receiving.Value!, [.. visit.Positions.Select(position => (int[])[position])]) : null;
            var outcome = await executor.ExecuteAsync(
                new SettleCommand(stream, loaded.Version, settlement.Events, notices, Metadata, arrival), cancel);
            mailboxes.NoteRefusal(outcome);
            if (outcome.Rejection is null)
                return;
            // Stale, or somebody has become full since: it is looked up again.
        }
    }

    private async Task<RecordedAttempt> SettleAsync(
        StreamKey stream, string domain, CancellationToken cancel, Func<DeliveryState, DateTimeOffset, Settlement> decide)
    {
        while (true)
        {
            var loaded = await executor.RefreshAsync(DeliveryKind.Stream(stream), cancel);
            var state = (DeliveryState)loaded.State;
            var now = options.Clock.GetUtcNow();
            var settlement = decide(state, now);
            if (settlement.Events.Count > 0)
            {
                var notices = await notifications.PrepareAsync(
                    stream.Tenant, state.Message!, state.Submitted, settlement.Notices, notifications.Stored(state.Message!), now, cancel);
                var outcome = await executor.ExecuteAsync(
                    new SettleCommand(stream, loaded.Version, settlement.Events, notices, Metadata), cancel);
                if (ReferenceEquals(outcome.Rejection, SettleCommand.Stale))
                    continue;
                if (outcome.Rejection is not null)
                    throw new InvalidOperationException($"the outcome of delivery {stream} was refused: {DeliveryService.Refused(outcome).Text}");
                foreach (var e in settlement.Events)
                    state = state.Evolve(e, now);
            }
            var destination = state.Find(domain);
            return new(destination?.Retries ?? 0, destination?.Due, settlement.Events);
        }
    }
}
