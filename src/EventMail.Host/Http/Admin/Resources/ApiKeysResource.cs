using EventMail.Host.Composition;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Id">What it begins with; no secret.</param>
/// <param name="Expires">Absent: until it is revoked.</param>
internal sealed record ApiKeyDocument(string Name, string Id, IReadOnlyList<string> Scopes, DateTimeOffset Issued, DateTimeOffset? Expires, bool Expired);

internal sealed record ApiKeyListDocument(IReadOnlyList<ApiKeyDocument> Items);

/// <summary>/api-keys: who has access. No key can make another (docs/decisions/0043-the-admin-api.md); one can end any.</summary>
internal sealed class ApiKeysResource(MailStore store, TimeProvider time)
{
    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/api-keys", "read:api-keys", "All keys that were not revoked, by name, without their secrets.", async request => ApiAnswer.Json(
            new(
            [
                .. (await store.ApiKeys.ListAsync(request.Cancel)).Select(key => new ApiKeyDocument(
                    key.Name, key.Id, key.Scopes, key.Issued, key.Expires, key.IsExpired(time.GetUtcNow()))),
            ]),
            ApiJson.Plain.ApiKeyListDocument))
        {
            Answer = ApiJson.Default.ApiKeyListDocument,
        },
        new("DELETE", "/api-keys/{key}", "write:api-keys", "Ends a key at once, on all nodes, by its name or id; also the one that asks.", async request =>
            (await store.ApiKeys.RevokeAsync(request.Path("key"), request.Actor, request.Cancel)).Rejection is { } rejection ? ApiAnswer.Refused(rejection) : ApiAnswer.NoContent)
        {
            Status = 204,
        },
    ];
}
