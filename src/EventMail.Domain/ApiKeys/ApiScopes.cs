namespace EventMail.Domain.ApiKeys;

/// <summary>What a key of the admin API may be allowed: `read:` or `write:` and a resource or *, or admin for all of it.</summary>
public static class ApiScopes
{
    public const string Admin = "admin";

    private const string Read = "read:";
    private const string Write = "write:";

    public static IReadOnlyList<string> Resources { get; } =
    [
        "accounts", "aliases", "api-keys", "audit", "backup", "connections", "domains", "erasures", "events", "history", "mailboxes", "messages", "metrics", "projections",
        "queue", "restore", "retention", "webhooks",
    ];

    public static string Advice { get; } = $"write {Admin}, or {Read} or {Write} with one of {string.Join(", ", Resources)}, or *";

    public static bool IsKnown(string scope) => scope == Admin || (ResourceOf(scope) is { } resource && (resource == "*" || Resources.Contains(resource)));

    /// <summary>Whether these allow what needs that one: who may write may read.</summary>
    /// <param name="needed">`read:` or `write:` and a resource.</param>
    public static bool Allow(IEnumerable<string> given, string needed)
    {
        var resource = ResourceOf(needed)!;
        var reading = needed.StartsWith(Read, StringComparison.Ordinal);
        foreach (var scope in given)
        {
            if (scope == Admin)
                return true;
            if (ResourceOf(scope) is { } allowed && (allowed == "*" || allowed == resource) && (reading || scope.StartsWith(Write, StringComparison.Ordinal)))
                return true;
        }
        return false;
    }

    private static string? ResourceOf(string scope) =>
        scope.StartsWith(Read, StringComparison.Ordinal) ? scope[Read.Length..]
        : scope.StartsWith(Write, StringComparison.Ordinal) ? scope[Write.Length..]
        : null;
}
