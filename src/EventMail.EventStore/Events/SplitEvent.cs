namespace EventMail.EventStore;

/// <summary>What a row of an old type is read as when that is several events of today (<see cref="EventTypeMap.Split"/>).</summary>
public sealed record SplitEvent(IReadOnlyList<object> Parts)
{
    /// <summary>The events of a row: itself, or its parts in their order.</summary>
    public static IEnumerable<StoredEvent> Of(StoredEvent row) => row.Data is SplitEvent split ? split.PartsOf(row) : [row];

    internal IEnumerable<StoredEvent> PartsOf(StoredEvent row) =>
        Parts.Select((part, n) => row with { Data = part, Part = n + 1, Parts = Parts.Count });
}
