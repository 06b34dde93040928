using EventMail.Domain.Deliveries.Notifications;

namespace EventMail.Domain.Deliveries;

/// <summary>A submitted message on its way. Immutable.</summary>
public sealed record DeliveryState
{
    public static readonly DeliveryState Empty = new();

    private DeliveryState() { }

    /// <summary>Null before it is submitted.</summary>
    public MessageSubmitted? Message { get; private init; }

    public DateTimeOffset Submitted { get; private init; }

    /// <summary>An operator stopped it.</summary>
    public bool Held { get; private init; }

    /// <summary>What became of each recipient, by position.</summary>
    public IReadOnlyList<DeliveryStatus> Recipients { get; private init; } = [];

    /// <summary>Where it is still to go, in the order of the message's recipients.</summary>
    public IReadOnlyList<Destination> Destinations { get; private init; } = [];

    public bool Exists => Message is not null;

    /// <summary>Every recipient has come to an end.</summary>
    public bool IsOver => Exists && Destinations.Count == 0;

    /// <summary>When its time began to run: FUTURERELEASE puts that off (RFC 4865 §4.4).</summary>
    public DateTimeOffset Released => Message?.HoldUntil is { } until && until > Submitted ? until : Submitted;

    /// <summary>Null when nobody of this domain is to get it any more.</summary>
    public Destination? Find(string domain)
    {
        foreach (var destination in Destinations)
            if (destination.Domain == domain)
                return destination;
        return null;
    }

    /// <summary>
    /// The destinations that are not in a later state what they were, each with what it is there: null when it is over; without a
    /// first when it is new.
    /// </summary>
    public IEnumerable<(Destination? Before, Destination? After)> ChangesTo(DeliveryState later)
    {
        var isOther = Held != later.Held;
        var at = 0;
        foreach (var before in Destinations)
        {
            // They keep their order, and none is added to those of the submission.
            if (at == later.Destinations.Count || later.Destinations[at].Domain != before.Domain)
                yield return (before, null);
            else if (later.Destinations[at++] is var after && (isOther || !ReferenceEquals(before, after)))
                yield return (before, after);
        }
        for (; at < later.Destinations.Count; at++)
            yield return (null, later.Destinations[at]);
    }

    /// <summary>Folds an event of its stream; one that is not its business changes nothing.</summary>
    public DeliveryState Evolve(object e, DateTimeOffset at) => e switch
    {
        MessageSubmitted submitted => Begin(submitted, at),
        DeliveryBegun begun => With(begun.Recipients, destination => destination with
        {
            Attempts = begun.Attempt,
            UnderWay = new(begun.Attempt, begun.Node, at),
        }),
        RecipientDelivered delivered => Settle(delivered.Recipients, DeliveryStatus.Delivered),
        RecipientFailed failed => Settle(failed.Recipients, DeliveryStatus.Failed),
        DeliveryCancelled cancelled => Settle(cancelled.Recipients, DeliveryStatus.Cancelled),
        DeliveryDeferred deferred => With(deferred.Recipients, destination => destination with
        {
            Due = deferred.Next,
            Retries = deferred.Retries,
            Unknowns = 0,
            UnderWay = null,
            Reason = DeliveryReply.Line(deferred.Code, deferred.Enhanced, deferred.Text),
        }),
        DeliveryOutcomeUnknown unknown => With(unknown.Recipients, destination => destination with
        {
            Due = unknown.Next,
            Retries = unknown.Retries,
            Unknowns = destination.Unknowns + 1,
            UnderWay = null,
            Reason = "outcome unknown",
        }),
        BounceIssued { Action: DeliveryActions.Delayed } told => With(told.Recipients, destination => destination with
        {
            Warned = true,
            ToldOfTime = destination.ToldOfTime || told.TimeIsUp,
        }),
        DeliveryHastened hastened => With(hastened.Recipients, destination => destination with { Due = at, Hastened = at }),
        DeliveryHeld => this with { Held = true },
        DeliveryReleased => this with { Held = false },
        _ => this,
    };

    private static DeliveryState Begin(MessageSubmitted message, DateTimeOffset at)
    {
        var due = message.HoldUntil is { } until && until > at ? until : at;
        return new()
        {
            Message = message,
            Submitted = at,
            Recipients = new DeliveryStatus[message.Recipients.Length],
            Destinations =
            [
                .. Enumerable.Range(0, message.Recipients.Length).GroupBy(i => message.Recipients[i].Domain, StringComparer.Ordinal)
                    .Select(domain => new Destination(domain.Key, [.. domain], due)),
            ],
        };
    }

    private DeliveryState With(int[] recipients, Func<Destination, Destination> change)
    {
        var domains = DomainsOf(recipients);
        var destinations = Destinations.ToArray();
        for (var i = 0; i < destinations.Length; i++)
            if (domains.Contains(destinations[i].Domain) && destinations[i].Recipients.Intersect(recipients).Any())
                destinations[i] = change(destinations[i]);
        return this with { Destinations = destinations };
    }

    private DeliveryState Settle(int[] recipients, DeliveryStatus status)
    {
        var statuses = Recipients.ToArray();
        foreach (var recipient in recipients)
            if (statuses[recipient] == DeliveryStatus.Queued)
                statuses[recipient] = status;
        var domains = DomainsOf(recipients);
        var destinations = new List<Destination>(Destinations.Count);
        foreach (var destination in Destinations)
        {
            if (!domains.Contains(destination.Domain))
            {
                destinations.Add(destination);
                continue;
            }
            var left = Array.FindAll(destination.Recipients, recipient => statuses[recipient] == DeliveryStatus.Queued);
            if (left.Length > 0)
                destinations.Add(left.Length == destination.Recipients.Length ? destination : destination with { Recipients = left });
        }
        return this with { Recipients = statuses, Destinations = destinations };
    }

    // A message may have thousands of destinations, and an event is mostly about one.
    private HashSet<string> DomainsOf(int[] recipients) =>
        recipients.Select(recipient => Message!.Recipients[recipient].Domain).ToHashSet(StringComparer.Ordinal);
}
