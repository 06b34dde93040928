using EventMail.EventStore;

namespace EventMail.Projections.Deliveries;

/// <summary>What an account may have waiting when the commit is made, it included.</summary>
internal sealed record WaitingTerm(string Account, WaitingLimits Limits) : CommitTerm;
