using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Restoring;

/// <summary>What was done to a mailbox's messages, over all the commits that it took.</summary>
/// <param name="Restored">Messages that came back.</param>
/// <param name="Flagged">Messages whose flags changed.</param>
/// <param name="Removed">Messages that went.</param>
internal readonly record struct RestoreCounts(long Restored, long Flagged, long Removed)
{
    public static RestoreCounts Of(RestoreDecision decision) => new(
        Count(decision.Restored?.Uids),
        decision.Flags?.Changes.Aggregate(
            UidSet.Empty, (all, change) => all.Union(UidSet.Parse(change.Added)).Union(UidSet.Parse(change.Removed))).Count ?? 0,
        Count(decision.Removed?.Uids));

    public static RestoreCounts operator +(RestoreCounts a, RestoreCounts b) =>
        new(a.Restored + b.Restored, a.Flagged + b.Flagged, a.Removed + b.Removed);

    private static long Count(string? uids) => uids is null ? 0 : UidSet.Parse(uids).Count;
}
