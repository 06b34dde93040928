namespace EventMail.EventStore;

/// <summary>A stream as a batch sees it while it decides.</summary>
internal sealed class WorkingStream(StreamKind kind, StreamKey key, LoadedState committed)
{
    private byte[]? _hash;

    public StreamKind Kind { get; } = kind;

    public StreamKey Key { get; } = key;

    /// <summary>What the batch found.</summary>
    public LoadedState Committed { get; private set; } = committed;

    /// <summary>With the batch's events.</summary>
    public LoadedState Current { get; set; } = committed;

    public List<StoredEvent> Events { get; } = [];

    /// <summary>What its next event follows is not known from memory.</summary>
    public bool LastIsUnknown => Committed is { Version: > 0, Last.Hash: null };

    /// <summary>The hash that its next event follows, while the batch is linked; null at the stream's beginning.</summary>
    public byte[]? Hash
    {
        get => _hash ?? (Committed.Last.Hash is { Length: > 0 } last ? last : null);
        set => _hash = value;
    }

    /// <summary>Before anything is decided on it.</summary>
    public void Follows(LastEvent last) => Current = Committed = Committed with { Last = last };

    public StreamChange ToChange() => new(
        Kind, Key, Committed.State, Current.State, Committed.Version + 1, Current.Version, Events);
}
