using EventMail.Domain;
using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Deliveries;

/// <summary>A command on one delivery that nothing but its state decides.</summary>
internal sealed class DeliveryCommand(StreamKey delivery, Func<DeliveryState, Result<object[]>> decide, EventMetadata metadata) : Command
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [DeliveryKind.Stream(delivery)];

    public override EventMetadata Metadata { get; } = metadata;

    /// <summary>Carried out also on what an account left that has moved away.</summary>
    public bool OnWhatIsLeft { get; init; }

    public override bool EvenMoved => OnWhatIsLeft;

    public override void Decide(Decision decision) => decision.Apply(delivery, decide(decision.State<DeliveryState>(delivery)));
}
