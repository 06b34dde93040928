using EventMail.Domain.Deliveries;
using EventMail.Projections.Accounts;
using Directory = EventMail.Projections.Accounts.Directory;

namespace EventMail.Projections.Deliveries;

/// <summary>What the directory says to recipients that wait in the queue and are here.</summary>
internal sealed record LocalVisit(IReadOnlyList<LocalRecipient> Locals, IReadOnlyList<int> Positions, IReadOnlyList<RecipientOutcome> Refused)
{
    public static async Task<LocalVisit> LookUpAsync(DeliveryState state, Destination destination, Directory directory, CancellationToken cancel)
    {
        var (locals, positions, refused) = (new List<LocalRecipient>(), new List<int>(), new List<RecipientOutcome>());
        foreach (var position in destination.Recipients)
        {
            var (localPart, domain) = EnvelopeAddress.Split(state.Message!.Recipients[position].Address);
            var answer = await directory.ResolveAsync(localPart, domain, state.Message.Content.Size, cancel);
            foreach (var local in answer.Recipients)
            {
                locals.Add(local);
                positions.Add(position);
            }
            if (answer.Status != RecipientStatus.Local)
                refused.Add(Answer(position, answer.Status));
        }
        return new(locals, positions, refused);
    }

    public LocalVisit WithoutMailboxes() => new(
        [], [], [.. Refused, .. Positions.Distinct().Select(position => new RecipientOutcome(position, OutcomeKind.Deferred, 450, "4.2.1", "Mailbox is gone", null))]);

    /// <summary>All but the arrival in the mailboxes, which comes first.</summary>
    public Settlement Settle(DeliveryState state, Destination destination, DeliveryOptions options, DateTimeOffset now, double random)
    {
        var attempt = destination.Attempts + 1;
        var begun = new DeliveryBegun(attempt, destination.Domain, destination.Recipients, options.Node);
        var arrived = Positions.Distinct().ToList();
        var left = state.Evolve(begun, now);
        if (arrived.Count > 0)
            left = left.Evolve(new RecipientDelivered([.. arrived], 0, "", "", null, null, Relayed: false), now);
        var rest = AttemptDecider.Record(
            left, destination.Domain, attempt, new([], Refused), options.Node, now, options.Rules, random);
        var told = arrived.Where(position => (state.Message!.Recipients[position].Notify & NotifyOn.Success) != 0).Select(LocalArrival.Noticed).ToList();
        return new(
            rest.Events,
            told.Count > 0 ? [new(Domain.Deliveries.Notifications.DeliveryActions.Delivered, told), .. rest.Notices] : rest.Notices);
    }

    // As at RCPT.
    private static RecipientOutcome Answer(int position, RecipientStatus status) => status switch
    {
        RecipientStatus.Suspended => new(position, OutcomeKind.Deferred, 450, "4.2.1", "Mailbox is disabled for now", null),
        RecipientStatus.OverQuota => new(position, OutcomeKind.Failed, 552, "5.2.2", "Mailbox is full", null),
        RecipientStatus.NotLocalDomain => new(position, OutcomeKind.Deferred, 450, "4.4.4", "Domain has moved away this very moment", null),
        _ => new(position, OutcomeKind.Failed, 550, "5.1.1", "No such user here", null),
    };
}
