using EventMail.Domain.Deliveries;
using EventMail.EventStore;

namespace EventMail.Projections.Deliveries;

/// <summary>Streams of submitted messages, one each. They are short: a state is folded from the whole of it.</summary>
public sealed class DeliveryKind : StreamKind
{
    public static readonly DeliveryKind Instance = new();

    // Recipients to a unit of weight, which is about a KiB.
    private const int RecipientsPerWeight = 8;

    private DeliveryKind() { }

    public override string Name => "delivery";

    public override object Empty(StreamKey key) => DeliveryState.Empty;

    public override object Evolve(object state, StoredEvent e) => ((DeliveryState)state).Evolve(e.Data, e.Timestamp);

    public override int Weight(object state) => 1 + ((DeliveryState)state).Recipients.Count / RecipientsPerWeight;

    public override bool IsOver(object state) => ((DeliveryState)state).IsOver;

    // Something may be due now: whoever delivers on another node hears it.
    public override bool IsWide(object @event) => @event is MessageSubmitted or DeliveryReleased or DeliveryHastened;

    public static StreamRef Stream(StreamKey key) => new(Instance, key);

    public static StreamRef NewStream(StreamKey key) => new(Instance, key) { IsNew = true };
}
