namespace EventMail.Host.Http.Admin.Log;

/// <summary>What of an event never leaves the server, by its alias: what passwords and keys are checked or made with, and where webhooks lead with a secret.</summary>
internal static class EventSecrets
{
    private static readonly IReadOnlySet<string> None = new HashSet<string>();

    private static readonly Dictionary<string, IReadOnlySet<string>> Members = new(StringComparer.Ordinal)
    {
        ["password_set"] = Of("Hash", "Scram", "ScramSha1", "Recoverable"),
        ["password_rehashed"] = Of("Hash", "Scram", "ScramSha1"),
        ["recoverable_secret_enabled"] = Of("Secret"),
        ["app_password_issued"] = Of("Sha256"),
        ["credentials_captured"] = Of("Password"),
        ["dkim_key_added"] = Of("PrivateKey"),
        ["api_key_issued"] = Of("Sha256"),
        ["webhook_added"] = Of("Secret"),
    };

    // Of these URLs the query, which may be a secret: one webhook is not told how to call another.
    private static readonly Dictionary<string, string> Urls = new(StringComparer.Ordinal) { ["webhook_added"] = "Url", ["webhook_removed"] = "Url" };

    /// <summary>The members of its JSON that are left out.</summary>
    public static IReadOnlySet<string> In(string alias) => Members.GetValueOrDefault(alias, None);

    /// <summary>The member whose query is left out; null: there is none.</summary>
    public static string? UrlIn(string alias) => Urls.GetValueOrDefault(alias);

    /// <summary>All of the event is not to be shown.</summary>
    public static bool AreIn(string alias) => Members.ContainsKey(alias) || Urls.ContainsKey(alias);

    private static HashSet<string> Of(params string[] members) => [.. members];
}
