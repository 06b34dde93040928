using EventMail.Domain.Deliveries;

namespace EventMail.Projections.Deliveries;

/// <summary>Messages for which somebody is still waiting.</summary>
internal readonly record struct WaitingTotals(long Octets, long Messages)
{
    public static WaitingTotals operator +(WaitingTotals a, WaitingTotals b) => new(a.Octets + b.Octets, a.Messages + b.Messages);

    public static WaitingTotals operator -(WaitingTotals a, WaitingTotals b) => new(a.Octets - b.Octets, a.Messages - b.Messages);

    public static WaitingTotals Of(DeliveryState state) => state is { Message: { } message, IsOver: false } ? new(message.Content.Size, 1) : default;
}
