namespace EventMail.EventStore;

/// <summary>A stream as a batch sees it while it decides.</summary>
internal sealed class WorkingStream(StreamKind kind, StreamKey key, LoadedState committed)
{
    public StreamKind Kind { get; } = kind;

    public StreamKey Key { get; } = key;

    /// <summary>What the batch found.</summary>
    public LoadedState Committed { get; } = committed;

    /// <summary>With the batch's events.</summary>
    public LoadedState Current { get; set; } = committed;

    public List<StoredEvent> Events { get; } = [];

    public StreamChange ToChange() => new(
        Kind, Key, Committed.State, Current.State, Committed.Version + 1, Current.Version, Events);
}
