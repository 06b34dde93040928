namespace EventMail.Domain.Deliveries;

/// <summary>What became of a recipient. Only <see cref="Queued"/> is not the end.</summary>
public enum DeliveryStatus
{
    Queued,
    Delivered,
    Failed,
    Cancelled,
}
