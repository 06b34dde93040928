namespace EventMail.EventStore;

public sealed record EventLogOptions
{
    public required string ConnectionString { get; init; }

    /// <summary>The folder below which large contents are kept (content/ab/cd/…).</summary>
    public required string DataFolder { get; init; }

    public ContentOptions Content { get; init; } = new();

    public KeyOptions Keys { get; init; } = new();

    /// <summary>Commands waiting in the queue before ExecuteAsync waits.</summary>
    public int QueueLimit { get; init; } = 10_000;

    /// <summary>Commands in one transaction.</summary>
    public int BatchCommands { get; init; } = 64;

    /// <summary>Bytes of contents in one transaction, unless a single command has more.</summary>
    public long BatchContentBytes { get; init; } = 16L * 1024 * 1024;

    /// <summary>How often a command may defer before it fails.</summary>
    public int MaxDeferrals { get; init; } = 5;

    /// <summary>The sum of the weights (<see cref="StreamKind.Weight"/>) of the states kept in memory.</summary>
    public long StateCacheWeight { get; init; } = 100_000;

    /// <summary>How often a node says that it lives, and after how long without a word it counts as gone.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan NodeExpiry { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a starting node waits for the others to say that they heard of it.</summary>
    public TimeSpan Greeting { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a leaving node waits for the others to say that they have taken in what it committed.</summary>
    public TimeSpan Parting { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long closing waits for a database that does not answer before queued commands fail.</summary>
    public TimeSpan ClosingGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often an idle asynchronous projection looks for events that no commit of ours told of.</summary>
    public TimeSpan ProjectionPoll { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a node looks for streams that others have put into quarantine, and for those whose events were repaired.</summary>
    public TimeSpan QuarantinePoll { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// What becomes of a node that must change read models over to its version while programs of another one are running: it waits for
    /// their end, or it is refused (<see cref="GenerationRefusedException"/>), as a command beside a server is.
    /// </summary>
    public bool WaitForOthers { get; init; } = true;

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
