using System.Diagnostics;
using EventMail.EventStore;

namespace EventMail.Host.Delivery.Attempts;

internal static class DeliverySpans
{
    public static readonly ActivitySource Source = new(EventStoreTelemetry.Name);
}
