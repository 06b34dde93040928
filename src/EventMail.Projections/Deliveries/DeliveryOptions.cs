using EventMail.Domain.Deliveries;

namespace EventMail.Projections.Deliveries;

public sealed record DeliveryOptions
{
    public DeliveryRules Rules { get; init; } = new();

    /// <summary>What one account may have waiting.</summary>
    public WaitingLimits Waiting { get; init; } = new();

    /// <summary>Our name in notifications and their message ids.</summary>
    public string ReportingHost { get; init; } = "localhost";

    /// <summary>This host's name in events.</summary>
    public string Node { get; init; } = Environment.MachineName;

    /// <summary>How often the queue is looked at although nothing was heard of it: what other nodes left behind.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A node whose connections to the database have been gone for so long is dead, and what it had claimed is free.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(5);

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>From 0 to 1, for the jitter. Thread-safe.</summary>
    public Func<double> Random { get; init; } = System.Random.Shared.NextDouble;
}
