namespace EventMail.EventStore;

/// <summary>What one transaction (or one catch-up with other nodes' transactions) changed, in commit order.</summary>
/// <param name="Changes">One per touched stream.</param>
/// <param name="Contents">The contents that became durable with it; empty for other nodes' commits.</param>
/// <param name="Remote">True when another node (or another application) committed it.</param>
public sealed record CommitBatch(IReadOnlyList<StreamChange> Changes, IReadOnlyList<StagedContent> Contents, bool Remote)
{
    /// <summary>
    /// True while a generation of read models is built from the log: events of many commits, those of each stream together, without their
    /// metadata. What was put right behind the log's back must not be put right in rows that were never wrong.
    /// </summary>
    public bool Building { get; init; }

    /// <summary>What must hold in its transaction, for the inline projections that know of it.</summary>
    public IReadOnlyList<CommitTerm> Terms { get; init; } = [];

    /// <summary>What its commands said beside their events; empty for other nodes' commits.</summary>
    public IReadOnlyList<CommitNote> Notes { get; init; } = [];
}

/// <summary>How one stream moved.</summary>
/// <param name="Before">The state at <paramref name="FromVersion"/> - 1.</param>
/// <param name="After">The state at <paramref name="ToVersion"/>.</param>
/// <param name="FromVersion">The version of the first of <paramref name="Events"/>.</param>
/// <param name="ToVersion">The version of the last.</param>
/// <param name="Events">Their Sequence is 0 while an inline projection folds them: the log numbers them in the same round trip.</param>
public sealed record StreamChange(
    StreamKind Kind,
    StreamKey Key,
    object Before,
    object After,
    long FromVersion,
    long ToVersion,
    IReadOnlyList<StoredEvent> Events)
{
    /// <summary>Where the stream stands with it. Once it is committed: its events have their hashes then.</summary>
    internal LoadedState Reached => new(After, ToVersion) { Last = LastEvent.Of(Events[^1]) };
}
