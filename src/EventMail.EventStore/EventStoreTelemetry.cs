using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace EventMail.EventStore;

/// <summary>What the event store tells those who measure. Where nobody listens it costs a branch.</summary>
public static class EventStoreTelemetry
{
    /// <summary>Of the sources of spans and of the meters of this program.</summary>
    public const string Name = "EventMail";

    public static readonly Meter Meter = new(Name);

    internal static readonly ActivitySource Spans = new(Name);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "eventmail.commit.duration", "s", "From the decision of a batch of commands to its durable commit.");

    internal static long Began => Duration.Enabled ? Stopwatch.GetTimestamp() : 0;

    internal static void Committed(long began)
    {
        if (began != 0)
            Duration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
    }
}
