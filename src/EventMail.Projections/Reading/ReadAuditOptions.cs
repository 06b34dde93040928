namespace EventMail.Projections.Reading;

public sealed record ReadAuditOptions
{
    /// <summary>How long reads are gathered before they become an event. What was read in this time is lost with a process that is killed.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>So many messages of a mailbox, read by a session, become an event at once.</summary>
    public int MaxMessages { get; init; } = 1000;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
