using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>The member hash of an event's headers.</summary>
internal static class HashHeader
{
    // As jsonb prints it.
    private const string Member = "\"hash\": \"";

    /// <summary>The hash that stored headers hold; null when there is none, or something else under its name.</summary>
    /// <param name="headersJson">As PostgreSQL prints them.</param>
    public static byte[]? Find(string? headersJson)
    {
        if (headersJson is null || headersJson.LastIndexOf(Member, StringComparison.Ordinal) is var at && at < 0)
            return null;
        // Ours are flat. In others' the name may stand anywhere, or be the end of another.
        if (headersJson[at - 1] is not ('{' or ' ') || headersJson.AsSpan(1).Contains('{'))
            return FindMember(headersJson);
        var value = headersJson.AsSpan(at + Member.Length);
        var end = value.IndexOf('"');
        return end >= 0 && EventHash.TryParse(value[..end], out var hash) ? hash : null;
    }

    private static byte[]? FindMember(string headersJson)
    {
        using var headers = JsonDocument.Parse(headersJson, new() { MaxDepth = int.MaxValue });
        return headers.RootElement.ValueKind == JsonValueKind.Object && headers.RootElement.TryGetProperty(EventHash.Header, out var value)
            && value.ValueKind == JsonValueKind.String && EventHash.TryParse(value.GetString(), out var hash)
            ? hash
            : null;
    }
}
