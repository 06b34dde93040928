using EventMail.Domain;

namespace EventMail.Projections.Mailboxes;

/// <summary>Where an account's subscribed names are kept: they belong to the account, not to a mailbox.</summary>
/// <param name="Read">Sorted.</param>
/// <param name="Write">Adds (true) or removes a name.</param>
public sealed record SubscriptionBook(
    Func<string, CancellationToken, Task<IReadOnlyList<string>>> Read,
    Func<string, string, bool, Actor, string?, CancellationToken, Task<Result<Unit>>> Write);
