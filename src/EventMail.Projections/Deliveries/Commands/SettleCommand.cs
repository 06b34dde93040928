using EventMail.EventStore;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// Writes what was decided of an attempt, and what its sender is told, in one transaction. It was decided and composed before, on the
/// state at a version: at another one it is refused with <see cref="Stale"/>, and decided again.
/// </summary>
internal sealed class SettleCommand(
    StreamKey delivery, long version, IReadOnlyList<object> events, IReadOnlyList<PreparedNotice> notices, EventMetadata metadata,
    LocalArrival? arrival = null) : Command
{
    public static readonly object Stale = new();

    public override IReadOnlyList<StreamRef> Streams { get; } =
    [
        DeliveryKind.Stream(delivery), .. arrival?.Streams ?? [], .. notices.SelectMany(notice => notice.Streams),
    ];

    public override EventMetadata Metadata { get; } = metadata;

    public override IReadOnlyList<StagedContent> Contents { get; } = [.. notices.Select(notice => notice.Content).OfType<StagedContent>()];

    public override void Decide(Decision decision)
    {
        if (decision.Version(delivery) != version)
        {
            decision.Reject(Stale);
            return;
        }
        if (arrival is not null && !arrival.Decide(decision, delivery))
            return;
        foreach (var e in events)
            decision.Append(delivery, e);
        foreach (var notice in notices)
            if (!notice.Decide(decision, delivery))
                return;
    }
}
