namespace EventMail.EventStore;

/// <summary>A stream that a command reads or appends to, and its kind.</summary>
public readonly record struct StreamRef(StreamKind Kind, StreamKey Key)
{
    /// <summary>Its id has just been made: the database is not asked for what it does not have. One that exists after all is a conflict.</summary>
    public bool IsNew { get; init; }
}

/// <summary>One unit of work: decided against the current state of its streams, committed whole or not at all.</summary>
public abstract class Command
{
    /// <summary>Every stream that <see cref="Decide"/> reads or may append to. Fixed before the command is queued.</summary>
    public abstract IReadOnlyList<StreamRef> Streams { get; }

    public abstract EventMetadata Metadata { get; }

    /// <summary>Every content that <see cref="Decide"/> may store. Their numbers are final when it runs. Fixed before the command is queued.</summary>
    public virtual IReadOnlyList<StagedContent> Contents => [];

    /// <summary>True for what may be written to a tenant that is read-only: that it moved.</summary>
    public virtual bool EvenReadOnly => false;

    /// <summary>True for what may be written to a tenant that has moved away for good: what removes that which it left.</summary>
    public virtual bool EvenMoved => false;

    /// <summary>
    /// Runs on the committer, possibly more than once (conflicts): pure, quick, no I/O. Appends events, or rejects, or defers.
    /// Deciding nothing is a success that writes nothing.
    /// </summary>
    public abstract void Decide(Decision decision);
}
