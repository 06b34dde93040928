namespace EventMail.Domain.ApiKeys;

// The events of keys to the admin API: one stream of all keys, in the tenant that belongs to nobody.

/// <param name="Id">What the key begins with: finds it, and is no secret.</param>
/// <param name="Sha256">Of the secret, in lower-case hex. The secret has 160 random bits, so that nothing slower is needed.</param>
public sealed record ApiKeyIssued(string Id, string Name, string[] Scopes, DateTimeOffset? Expires, string Sha256);

public sealed record ApiKeyRevoked(string Id, string Name);
