using System.Text.Json.Serialization;
using EventMail.Domain.ApiKeys;
using EventMail.EventStore;

namespace EventMail.Projections.ApiKeys;

/// <summary>The aliases of the events of keys to the admin API.</summary>
internal static class ApiKeyEventTypes
{
    public static EventTypeMap RegisterApiKeyEvents(this EventTypeMap map) => map
        .Register("api_key_issued", ApiKeyEventJson.Default.ApiKeyIssued)
        .Register("api_key_revoked", ApiKeyEventJson.Default.ApiKeyRevoked);
}

[JsonSerializable(typeof(ApiKeyIssued))]
[JsonSerializable(typeof(ApiKeyRevoked))]
internal sealed partial class ApiKeyEventJson : JsonSerializerContext;
