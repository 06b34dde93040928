namespace EventMail.EventStore;

/// <summary>One event as the log holds it.</summary>
/// <param name="Sequence">seq_id: the position in the whole log; 0 for an event that is decided but not yet committed.</param>
/// <param name="Version">Its number within its stream, from 1, without holes.</param>
/// <param name="Type">The alias it was stored under, such as message_received.</param>
/// <param name="Data">The event itself, upcast to its current type.</param>
/// <remarks>A row that is read as several events (<see cref="EventTypeMap.Split"/>) is as many of these, one behind the other.</remarks>
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
    /// <summary>Which of its row's events it is, from 1. All of them have the row's sequence, id, version and time.</summary>
    public int Part { get; init; } = 1;

    /// <summary>How many events its row is read as: 1 but for rows of an old type that was split.</summary>
    public int Parts { get; init; } = 1;

    /// <summary>No other event of its row follows: behind it a position may be noted.</summary>
    public bool EndsRow => Part == Parts;

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
