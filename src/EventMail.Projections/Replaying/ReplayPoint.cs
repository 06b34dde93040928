using EventMail.EventStore;

namespace EventMail.Projections.Replaying;

/// <summary>How far the log is folded: to an instant, its events included, to a position, or (both null) to its end.</summary>
public readonly record struct ReplayPoint(DateTimeOffset? Until, long? Sequence)
{
    public bool Has(StoredEvent e) => !(e.Timestamp > Until) && !(e.Sequence > Sequence);
}
