using System.Text.Json.Serialization;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;

namespace EventMail.Projections.Deliveries;

/// <summary>The aliases under which a delivery's events are stored.</summary>
public static class DeliveryEventTypes
{
    /// <summary>What stands in a delivery's stream, old aliases included.</summary>
    public static IReadOnlySet<string> Aliases { get; } = new EventTypeMap().RegisterDeliveryEvents().Aliases.ToHashSet(StringComparer.Ordinal);

    public static EventTypeMap RegisterDeliveryEvents(this EventTypeMap types) => types
        .Register("message_submitted", DeliveryEventJson.Default.MessageSubmitted)
        .Register("delivery_begun", DeliveryEventJson.Default.DeliveryBegun)
        .Register("delivery_attempted", DeliveryEventJson.Default.DeliveryAttempted)
        .Register("recipient_delivered", DeliveryEventJson.Default.RecipientDelivered)
        .Register("delivery_deferred", DeliveryEventJson.Default.DeliveryDeferred)
        .Register("recipient_failed", DeliveryEventJson.Default.RecipientFailed)
        .Register("delivery_outcome_unknown", DeliveryEventJson.Default.DeliveryOutcomeUnknown)
        .Register("bounce_issued", DeliveryEventJson.Default.BounceIssued)
        .Register("delivery_cancelled", DeliveryEventJson.Default.DeliveryCancelled)
        .Register("delivery_held", DeliveryEventJson.Default.DeliveryHeld)
        .Register("delivery_released", DeliveryEventJson.Default.DeliveryReleased)
        .Register("delivery_hastened", DeliveryEventJson.Default.DeliveryHastened);
}

[JsonSerializable(typeof(MessageSubmitted))]
[JsonSerializable(typeof(DeliveryBegun))]
[JsonSerializable(typeof(DeliveryAttempted))]
[JsonSerializable(typeof(RecipientDelivered))]
[JsonSerializable(typeof(DeliveryDeferred))]
[JsonSerializable(typeof(RecipientFailed))]
[JsonSerializable(typeof(DeliveryOutcomeUnknown))]
[JsonSerializable(typeof(BounceIssued))]
[JsonSerializable(typeof(DeliveryCancelled))]
[JsonSerializable(typeof(DeliveryHeld))]
[JsonSerializable(typeof(DeliveryReleased))]
[JsonSerializable(typeof(DeliveryHastened))]
internal sealed partial class DeliveryEventJson : JsonSerializerContext;
