using System.Diagnostics;

namespace EventMail.Protocols.Pop3;

/// <summary>What a session did, for the log line at its end.</summary>
internal sealed class SessionTotals
{
    private readonly long _began = Stopwatch.GetTimestamp();

    public int Retrieved { get; set; }

    public long RetrievedOctets { get; set; }

    public long Removed { get; set; }

    public long DurationMs => (long)Stopwatch.GetElapsedTime(_began).TotalMilliseconds;
}
