using EventMail.EventStore;
using EventMail.Host.Configuration;
using EventMail.Host.Delivery.Routing;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Delivery.Attempts;

/// <summary>What attempts stand on.</summary>
internal sealed record AttemptServices
{
    public required DeliverySettings Settings { get; init; }
    public required Router Router { get; init; }
    public required TlsLadder Ladder { get; init; }
    public required OwnAddresses Own { get; init; }
    public required ConnectionPool Connections { get; init; }
    public required ClientSettings Client { get; init; }
    public required ContentStore Contents { get; init; }
    public required ILogger Log { get; init; }
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
