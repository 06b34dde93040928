namespace EventMail.Projections.Deliveries;

/// <summary>Whoever delivers in this process takes what is submitted to it without its having to wait in the queue.</summary>
/// <param name="Lease">For how long nobody else gets it.</param>
/// <param name="HasRoom">
/// Whether a message for a domain would be begun before long, and before nothing older in the queue. Asked before the submission is
/// committed; on any thread; quick.
/// </param>
/// <param name="Take">It is committed, and claimed. Quick.</param>
public sealed record FirstClaimant(TimeSpan Lease, Func<string, bool> HasRoom, Action<QueuedDelivery> Take);
