using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using EventMail.EventStore;

namespace EventMail.Host.Http.Admin.Log;

/// <summary>A row of the log as event streams and webhooks show it.</summary>
/// <param name="Event">The first that it is read as: nearly always the only one.</param>
/// <param name="Kind">Of its stream: mailbox, account, delivery …</param>
internal sealed record LogEntry(StoredEvent Event, string Kind)
{
    private static readonly HashSet<string> HashAlone = ["hash"];
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>All that it is read as, when it is of an old type that was split.</summary>
    public IReadOnlyList<StoredEvent> Parts { get; init; } = [Event];

    /// <summary>
    /// One line of JSON. Events of older shapes are told in today's; those that this program does not know as they are; what is read as
    /// several under the row's own type, as `parts`.
    /// </summary>
    public ReadOnlyMemory<byte> ToJson(EventTypeMap types)
    {
        var output = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(output, Plain);
        json.WriteStartObject();
        json.WriteNumber("position"u8, Event.Sequence);
        json.WriteString("id"u8, Event.Id);
        json.WriteString("type"u8, Parts.Count > 1 ? Event.Type : TypeOf(Event, types));
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
        if (Parts.Count > 1)
            WriteParts(json, types);
        else
            WriteData(json, Event, types);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }

    /// <summary>The alias of today; as it is stored where it cannot be read.</summary>
    public static string TypeOf(StoredEvent e, EventTypeMap types) => e.Data is UnknownEvent or UnreadableEvent ? e.Type : types.Of(e.Data).Alias;

    private void WriteParts(Utf8JsonWriter json, EventTypeMap types)
    {
        json.WriteStartArray("parts"u8);
        foreach (var part in Parts)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, TypeOf(part, types));
            WriteData(json, part, types);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    // What of it is secret is known by its type of today, whatever it was stored as.
    private static void WriteData(Utf8JsonWriter json, StoredEvent e, EventTypeMap types)
    {
        if (e.Data is UnreadableEvent unreadable)
        {
            json.WriteString("unreadable"u8, unreadable.Error);
            return;
        }
        var data = e.Data is UnknownEvent unknown ? System.Text.Encoding.UTF8.GetBytes(unknown.Json) : types.Of(e.Data).Write(e.Data);
        var type = TypeOf(e, types);
        WriteObject(json, "data"u8, data, EventSecrets.In(type), EventSecrets.UrlIn(type));
    }

    private static void WriteText(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? text)
    {
        if (text is not null)
            json.WriteString(name, text);
    }

    private static void WriteObject(Utf8JsonWriter json, ReadOnlySpan<byte> name, byte[]? value, IReadOnlySet<string> without, string? url = null)
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
            if (without.Contains(member.Name))
                continue;
            if (member.Name == url && member.Value.ValueKind == JsonValueKind.String)
                json.WriteString(member.Name, member.Value.GetString()!.Split('?')[0]);
            else
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
