namespace EventMail.EventStore;

/// <summary>One event as the log holds it.</summary>
/// <param name="Sequence">seq_id: the position in the whole log; 0 for an event that is decided but not yet committed.</param>
/// <param name="Version">Its number within its stream, from 1, without holes.</param>
/// <param name="Type">The alias it was stored under, such as message_received.</param>
/// <param name="Data">The event itself, upcast to its current type.</param>
public sealed record StoredEvent(
    long Sequence,
    Guid Id,
    StreamKey Stream,
    long Version,
    string Type,
    object Data,
    DateTimeOffset Timestamp,
    EventMetadata Metadata)
{
    // Set once more by the committer when the log has numbered the event.
    public long Sequence { get; internal set; } = Sequence;

    /// <summary>Its hash over its canonical form and its predecessor in the stream (<see cref="EventHash"/>); null when it was stored without one.</summary>
    public string? Hash => HashOctets is { } hash ? EventHash.ToText(hash) : null;

    // Set by the committer when it writes the event; one that was read has it in its headers.
    internal byte[]? HashOctets
    {
        get => field ?? HashHeader.Find(Metadata.HeadersJson);
        set;
    }
}
