namespace EventMail.EventStore;

/// <summary>Which events of the log are wanted; what is null does not restrict.</summary>
public sealed record EventFilter
{
    public string? Tenant { get; init; }
    public IReadOnlyList<StreamKey>? Streams { get; init; }

    /// <summary>Aliases as stored (mt_events.type); older ones that are read as events of theirs are meant, too.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>Inclusive.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Exclusive.</summary>
    public DateTimeOffset? Until { get; init; }

    public long AfterSequence { get; init; }
}
