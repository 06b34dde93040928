namespace EventMail.Projections.Mailboxes;

/// <summary>Accounts by the names that people give them: access control lists keep ids, which no later account gets.</summary>
/// <param name="IdOf">The account that an address, or a login name, is for; null when it is nobody's.</param>
/// <param name="AddressOf">The address of an open account; null when there is none of this id.</param>
public sealed record AccountNames(
    Func<string, CancellationToken, ValueTask<string?>> IdOf,
    Func<string, CancellationToken, ValueTask<string?>> AddressOf);
