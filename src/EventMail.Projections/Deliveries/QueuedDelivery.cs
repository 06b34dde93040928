using EventMail.Domain.Deliveries;
using EventMail.EventStore;

namespace EventMail.Projections.Deliveries;

/// <summary>What is wanted of the queue.</summary>
/// <param name="Limit">Rows at most.</param>
/// <param name="Lease">For how long nobody else gets them, unless it is renewed.</param>
/// <param name="Busy">Domains that are passed over.</param>
/// <param name="Domain">Only this domain's; null for all.</param>
public sealed record ClaimRequest(int Limit, TimeSpan Lease, IReadOnlyCollection<string> Busy, string? Domain = null);

/// <summary>A message and its recipients of one domain that are due, claimed.</summary>
/// <param name="Recipients">Positions in the message's recipients: all of this domain that are still to get it.</param>
/// <param name="Attempt">The number of the attempt that is to be made now.</param>
/// <param name="Retries">So many of the schedule's retries are used.</param>
/// <param name="LeaseEnd">Until then nobody else gets it.</param>
public sealed record QueuedDelivery(
    StreamKey Stream, string Domain, int[] Recipients, int Attempt, int Retries, MessageSubmitted Message, DateTimeOffset Submitted,
    DateTimeOffset LeaseEnd)
{
    /// <summary>When somebody asked for it to be tried at once; null for nobody.</summary>
    public DateTimeOffset? Hastened { get; init; }
}

/// <summary>What was decided of an attempt.</summary>
/// <param name="Retries">So many of the schedule's retries are used.</param>
/// <param name="Next">When those who wait are tried again; null when nobody waits any more.</param>
/// <param name="Events">All that was written of it, in order.</param>
public sealed record RecordedAttempt(int Retries, DateTimeOffset? Next, IReadOnlyList<object> Events);
