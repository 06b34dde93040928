using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>What of events is opened when they are read.</summary>
internal enum Opening
{
    /// <summary>Only what states and read models are folded from.</summary>
    ForFolds,

    /// <summary>As little, and of the rest of an event only what states need (<see cref="EventTypeMap.TryReadSlice"/>).</summary>
    Slices,

    /// <summary>Everything.</summary>
    All,
}

/// <summary>An event as its row has it.</summary>
internal readonly record struct EventRecord(
    long Sequence, Guid Id, StreamKey Stream, long Version, string Type, ReadOnlyMemory<byte> Data, DateTimeOffset Timestamp, EventMetadata Metadata);

/// <summary>Makes events of rows, and opens what is sealed in them. Thread-safe.</summary>
internal sealed class EventDecoder(EventTypeMap types, SubjectKeys keys)
{
    public EventTypeMap Types => types;

    public SubjectKeys Keys => keys;

    /// <summary>The subject whose key should be loaded before this is read, with those of other events; null when none need be.</summary>
    public string? Lacks(string type, StreamKey stream, ReadOnlySpan<byte> data, Opening opening) =>
        IsOpened(type, opening) && EventBox.IsIn(data) && DataSubject.Of(stream) is var subject && !keys.Knows(subject) ? subject : null;

    public string? Lacks(in EventRecord record, Opening opening) =>
        opening == Opening.All && HeaderBox.IsIn(record.Metadata.HeadersJson) && DataSubject.Of(record.Stream) is var subject && !keys.Knows(subject)
            ? subject
            : Lacks(record.Type, record.Stream, record.Data.Span, opening);

    public StoredEvent Read(in EventRecord record, Opening opening)
    {
        var data = opening == Opening.Slices
            ? ReadSlice(record.Type, record.Stream, record.Version, record.Data.Span)
            : Read(record.Type, record.Stream, record.Version, record.Data.Span, opening);
        var metadata = record.Metadata;
        if (opening == Opening.All && HeaderBox.IsIn(metadata.HeadersJson))
        {
            try
            {
                metadata = metadata with { HeadersJson = HeaderBox.Open(metadata.HeadersJson!, Keys, DataSubject.Of(record.Stream)) };
            }
            // Another application may have a member of that name, with whatever in it.
            catch (FormatException e)
            {
                data = data is UnknownEvent ? data : new UnreadableEvent(record.Type, $"headers: {e.Message}");
            }
        }
        return new(record.Sequence, record.Id, record.Stream, record.Version, record.Type, data, record.Timestamp, metadata);
    }

    /// <summary>Like <see cref="EventTypeMap.TryRead"/>: what was sealed under a key that is gone has stand-ins.</summary>
    /// <exception cref="SubjectKeyUnusableException">It is sealed under a key that is there and cannot be used.</exception>
    public object Read(string type, StreamKey stream, long version, ReadOnlySpan<byte> data, Opening opening)
    {
        if (!IsOpened(type, opening))
            return types.TryRead(type, data);
        try
        {
            return EventBox.Open(data, keys, stream, version) is { } taken
                ? types.TryRead(type, PersonalMerge.Merge(data, taken))
                : types.TryRead(type, data);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return new UnreadableEvent(type, e.Message);
        }
    }

    /// <summary>What folds need of an event: of one whose sealed members they need, all of it.</summary>
    public object ReadSlice(string type, StreamKey stream, long version, ReadOnlySpan<byte> data) =>
        IsOpened(type, Opening.ForFolds) ? Read(type, stream, version, data, Opening.ForFolds) : types.TryReadSlice(type, data);

    private bool IsOpened(string type, Opening opening) => types.PersonalOf(type) is { } members && (opening == Opening.All || members.IsFolded);
}
