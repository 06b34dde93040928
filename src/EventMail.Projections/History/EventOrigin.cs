using System.Net;
using System.Text.Json;
using EventMail.EventStore;

namespace EventMail.Projections.History;

/// <summary>How somebody was connected, by an event's headers.</summary>
/// <param name="Client">In the form of <see cref="IPAddress"/>.</param>
internal sealed record EventOrigin(string? Protocol, string? Client)
{
    private const int Remembered = 1024;

    private static readonly EventOrigin Nowhere = new(null, null);

    // A session's events have the same headers.
    private static readonly BoundedCache<string, EventOrigin> Known = new(Remembered);

    public static EventOrigin Of(StoredEvent e) => e.Metadata.HeadersJson is not { } json ? Nowhere
        : Known.TryGet(json, out var origin) ? origin
        : Known.GetOrAdd(json, Parse);

    /// <summary>Whoever was somewhere may have been erased.</summary>
    public static void Forget() => Known.Clear();

    // Another application's headers are its own.
    private static EventOrigin Parse(string json)
    {
        try
        {
            using var headers = JsonDocument.Parse(json);
            return headers.RootElement.ValueKind == JsonValueKind.Object ? new(Text("protocol"), Text("client_ip")) : Nowhere;

            string? Text(string name) => headers.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (JsonException)
        {
            return Nowhere;
        }
    }
}
