using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using EventMail.EventStore;

namespace EventMail.Host.Http.Admin.Log;

/// <summary>An event as event streams and webhooks show it.</summary>
/// <param name="Kind">Of its stream: mailbox, account, delivery …</param>
internal sealed record LogEntry(StoredEvent Event, string Kind)
{
    private static readonly HashSet<string> HashAlone = ["hash"];
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One line of JSON. Events of older shapes are told in today's; those that this program does not know as they are.</summary>
    public ReadOnlyMemory<byte> ToJson(EventTypeMap types)
    {
        var output = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(output, Plain);
        json.WriteStartObject();
        json.WriteNumber("position"u8, Event.Sequence);
        json.WriteString("id"u8, Event.Id);
        json.WriteString("type"u8, Event.Data is UnknownEvent ? Event.Type : types.Of(Event.Data).Alias);
        json.WriteString("kind"u8, Kind);
        if (Event.Stream.Tenant != StreamKey.DefaultTenant)
            json.WriteString("account"u8, Event.Stream.Tenant);
        json.WriteString("stream"u8, Event.Stream.Id);
        json.WriteNumber("version"u8, Event.Version);
        json.WriteString("time"u8, Event.Timestamp);
        WriteText(json, "by"u8, Event.Metadata.UserName);
        WriteText(json, "session"u8, Event.Metadata.CorrelationId);
        WriteText(json, "cause"u8, Event.Metadata.CausationId);
        WriteObject(json, "from"u8, Event.Metadata.HeadersJson is { } headers ? System.Text.Encoding.UTF8.GetBytes(headers) : null, HashAlone);
        var data = Event.Data is UnknownEvent unknown ? System.Text.Encoding.UTF8.GetBytes(unknown.Json) : types.Of(Event.Data).Write(Event.Data);
        WriteObject(json, "data"u8, data, EventSecrets.In(Event.Type));
        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? text)
    {
        if (text is not null)
            json.WriteString(name, text);
    }

    private static void WriteObject(Utf8JsonWriter json, ReadOnlySpan<byte> name, byte[]? value, IReadOnlySet<string> without)
    {
        if (value is null)
            return;
        json.WritePropertyName(name);
        using var document = JsonDocument.Parse(value);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            document.RootElement.WriteTo(json);
            return;
        }
        json.WriteStartObject();
        foreach (var member in document.RootElement.EnumerateObject())
        {
            if (!without.Contains(member.Name))
                member.WriteTo(json);
        }
        json.WriteEndObject();
    }
}

/// <summary>Which events are wanted; what is null does not restrict.</summary>
/// <param name="Types">Aliases as docs/events.md has them.</param>
/// <param name="Account">An id.</param>
internal sealed record LogFilter(IReadOnlySet<string>? Types, string? Account, IReadOnlySet<string>? Kinds)
{
    public bool MatchesEvent(StoredEvent e) => Types?.Contains(e.Type) != false && (Account is null || e.Stream.Tenant == Account);

    public bool MatchesKind(string kind) => Kinds?.Contains(kind) != false;
}
