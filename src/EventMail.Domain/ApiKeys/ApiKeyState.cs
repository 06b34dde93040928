using System.Collections.Immutable;

namespace EventMail.Domain.ApiKeys;

/// <summary>A key to the admin API that was not revoked.</summary>
/// <param name="Expires">Worth nothing from then on; null: until it is revoked.</param>
public sealed record ApiKey(string Id, string Name, ImmutableArray<string> Scopes, DateTimeOffset Issued, DateTimeOffset? Expires, string Sha256)
{
    public bool IsExpired(DateTimeOffset now) => Expires <= now;
}

/// <summary>All keys, folded from their stream. Immutable.</summary>
/// <param name="Keys">By id.</param>
public sealed record ApiKeyState(ImmutableSortedDictionary<string, ApiKey> Keys)
{
    public static readonly ApiKeyState Empty = new(ImmutableSortedDictionary.Create<string, ApiKey>(StringComparer.Ordinal));

    public ApiKeyState Evolve(object @event, DateTimeOffset at) => @event switch
    {
        ApiKeyIssued e => new(Keys.SetItem(e.Id, new(e.Id, e.Name, [.. e.Scopes], at, e.Expires, e.Sha256))),
        ApiKeyRevoked e => new(Keys.Remove(e.Id)),
        _ => throw new ArgumentException($"not an event of API keys: {@event.GetType().Name}", nameof(@event)),
    };
}
