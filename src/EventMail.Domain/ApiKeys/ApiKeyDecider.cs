namespace EventMail.Domain.ApiKeys;

/// <summary>What may happen to keys of the admin API. Pure.</summary>
public static class ApiKeyDecider
{
    /// <summary>Keys that are not revoked, expired ones among them.</summary>
    public const int MaxKeys = 1000;

    /// <summary>Characters.</summary>
    public const int MaxName = 64;

    public static readonly Rejection Missing = new(RejectionKind.NonExistent, "No such API key");
    public static readonly Rejection NameTaken = new(RejectionKind.AlreadyExists, "An API key of that name exists; revoke it first, or choose another name");

    public static Result<object[]> Issue(ApiKeyState state, ApiKeyIssued issued, DateTimeOffset now) =>
        issued.Name.Length is 0 or > MaxName || !issued.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? Rejection.Invalid($"A key's name has 1 to {MaxName} letters, digits, hyphens, underscores and dots")
        : issued.Scopes.Length == 0 ? Rejection.Invalid("A key needs at least one scope")
        : issued.Scopes.FirstOrDefault(scope => !ApiScopes.IsKnown(scope)) is { } unknown ? Rejection.Invalid($"{unknown} is no scope: {ApiScopes.Advice}")
        : issued.Expires <= now ? Rejection.Invalid("The key would have expired already")
        : state.Keys.Values.Any(key => key.Name == issued.Name) ? NameTaken
        : state.Keys.Count >= MaxKeys ? Rejection.Limit("Too many API keys; revoke those that nobody uses")
        : (object[])[issued];

    public static Result<object[]> Revoke(ApiKeyState state, string idOrName) =>
        state.Keys.Values.FirstOrDefault(key => key.Id == idOrName || key.Name == idOrName) is not { } found ? Missing
        : (object[])[new ApiKeyRevoked(found.Id, found.Name)];
}
