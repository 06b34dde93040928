using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace EventMail.EventStore;

/// <summary>
/// Event types by their alias in mt_events.type. Filled at start, then read from many threads.
/// Aliases are explicit: renaming a class changes nothing that is stored.
/// </summary>
public sealed class EventTypeMap
{
    private delegate object Reader(ReadOnlySpan<byte> json);

    private readonly Dictionary<Type, EventType> _current = [];
    private readonly Dictionary<string, Reader> _readers = new(StringComparer.Ordinal);
    private readonly Dictionary<Type, Func<object, object>> _upcasters = [];

    /// <summary>The types that are written today.</summary>
    public IReadOnlyCollection<EventType> Current => _current.Values;

    /// <summary>Every alias that can be read, old ones included.</summary>
    public IReadOnlyCollection<string> Aliases => _readers.Keys;

    /// <summary>Registers a current event type. Its JSON has member names as declared, case-sensitive, nulls written (as Marten's).</summary>
    /// <exception cref="ArgumentException">The alias or type is taken, or the JSON options are others.</exception>
    public EventTypeMap Register<T>(string alias, JsonTypeInfo<T> json) where T : class
    {
        RequireMartenJson(json);
        if (_upcasters.ContainsKey(typeof(T)))
            throw new ArgumentException($"{typeof(T)} is an old shape with an upcaster", nameof(alias));
        AddReader(alias, bytes => JsonSerializer.Deserialize(bytes, json) ?? throw NotAnObject(alias));
        if (!_current.TryAdd(typeof(T), new(alias, typeof(T), @event => JsonSerializer.SerializeToUtf8Bytes((T)@event, json))))
            throw new ArgumentException($"{typeof(T)} is registered already", nameof(alias));
        return this;
    }

    /// <summary>Reads an old alias by turning its JSON into a current event.</summary>
    public EventTypeMap Upcast<T>(string oldAlias, Func<JsonElement, T> upcast) where T : class
    {
        AddReader(oldAlias, bytes =>
        {
            var reader = new Utf8JsonReader(bytes);
            using var document = JsonDocument.ParseValue(ref reader);
            return upcast(document.RootElement);
        });
        return this;
    }

    /// <summary>
    /// Reads an old alias through its old shape. <typeparamref name="TNew"/> may itself be an old shape with an upcaster to the next.
    /// </summary>
    public EventTypeMap Upcast<TOld, TNew>(string oldAlias, JsonTypeInfo<TOld> json, Func<TOld, TNew> upcast)
        where TOld : class where TNew : class
    {
        RequireMartenJson(json);
        if (_current.ContainsKey(typeof(TOld)) || !_upcasters.TryAdd(typeof(TOld), old => upcast((TOld)old)))
            throw new ArgumentException($"{typeof(TOld)} is registered already", nameof(oldAlias));
        AddReader(oldAlias, bytes => JsonSerializer.Deserialize(bytes, json) ?? throw NotAnObject(oldAlias));
        return this;
    }

    /// <summary>The event that a row holds, upcast; <see cref="UnknownEvent"/> for an alias that is not registered.</summary>
    public object Read(string alias, ReadOnlySpan<byte> json)
    {
        if (!_readers.TryGetValue(alias, out var reader))
            return new UnknownEvent(alias, Encoding.UTF8.GetString(json));
        var @event = reader(json);
        while (_upcasters.TryGetValue(@event.GetType(), out var upcast))
            @event = upcast(@event);
        return @event;
    }

    /// <summary>Like <see cref="Read"/>; <see cref="UnreadableEvent"/> for data that is not what its type says.</summary>
    public object TryRead(string alias, ReadOnlySpan<byte> json)
    {
        try
        {
            return Read(alias, json);
        }
        // Whatever an old shape's upcaster makes of what it did not expect.
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or ArgumentException or KeyNotFoundException
            or OverflowException or NullReferenceException)
        {
            return new UnreadableEvent(alias, e.Message);
        }
    }

    /// <exception cref="ArgumentException">The type is not registered.</exception>
    public EventType Of(object @event) =>
        _current.TryGetValue(@event.GetType(), out var type)
            ? type
            : throw new ArgumentException($"{@event.GetType()} is not a registered event type");

    /// <summary>Marten's rule: the class name, split where a new word begins, joined by underscores, in lower case.</summary>
    public static string MartenAlias(string className)
    {
        var alias = new StringBuilder(className.Length + 8);
        for (var i = 0; i < className.Length; i++)
        {
            var lower = char.IsLower(className[i]);
            var afterLower = i > 0 && char.IsLower(className[i - 1]);
            // The last capital of a run belongs to the word that follows: IMAPFlags is imap_flags.
            var endsRun = i > 0 && i + 1 < className.Length && char.IsLower(className[i + 1]);
            if (!lower && (afterLower || endsRun))
                alias.Append('_');
            alias.Append(char.ToLowerInvariant(className[i]));
        }
        return alias.ToString();
    }

    private void AddReader(string alias, Reader reader)
    {
        if (!_readers.TryAdd(alias, reader))
            throw new ArgumentException($"{alias} is registered already", nameof(alias));
    }

    private static JsonException NotAnObject(string alias) => new($"an event of type {alias} holds a JSON null");

    // What Marten's serializer reads and writes by default; marten-compatible only with exactly these.
    private static void RequireMartenJson(JsonTypeInfo json)
    {
        var options = json.Options;
        if (options.PropertyNamingPolicy is not null || options.PropertyNameCaseInsensitive
            || options.DefaultIgnoreCondition != JsonIgnoreCondition.Never)
            throw new ArgumentException($"{json.Type}: events keep member names as declared and write nulls", nameof(json));
    }
}
