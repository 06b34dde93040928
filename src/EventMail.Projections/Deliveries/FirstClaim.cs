using EventMail.EventStore;

namespace EventMail.Projections.Deliveries;

/// <summary>
/// A submission is the first claim of its own rows: they are written with the lease that a claim would have given them. When the node dies
/// before it has begun them, they are like all that it had claimed.
/// </summary>
/// <param name="Domains">Of those that wait; the others' rows are free.</param>
/// <param name="Node">Whose they are.</param>
internal sealed record FirstClaim(StreamKey Delivery, IReadOnlyList<string> Domains, Guid Node, DateTimeOffset Until) : CommitNote
{
    private static readonly Dictionary<StreamKey, FirstClaim> None = [];

    /// <summary>Those of a commit.</summary>
    public static IReadOnlyDictionary<StreamKey, FirstClaim> In(CommitBatch batch) =>
        batch.Notes.Count == 0 ? None : batch.Notes.OfType<FirstClaim>().ToDictionary(claim => claim.Delivery);
}
