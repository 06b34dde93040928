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

    // What each alias' JSON is read as before it is upcast, and what each old shape is upcast to.
    private readonly Dictionary<string, Type> _shapes = new(StringComparer.Ordinal);
    private readonly Dictionary<Type, Type[]> _successors = [];
    private readonly Dictionary<Type, Func<object, object>> _upcasters = [];
    private readonly Dictionary<string, EventSlice> _slices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PersonalMembers> _personal = new(StringComparer.Ordinal);

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
        AddReader(alias, typeof(T), bytes => JsonSerializer.Deserialize(bytes, json) ?? throw NotAnObject(alias));
        if (!_current.TryAdd(typeof(T), new(alias, typeof(T), @event => JsonSerializer.SerializeToUtf8Bytes((T)@event, json))))
            throw new ArgumentException($"{typeof(T)} is registered already", nameof(alias));
        return this;
    }

    /// <summary>Reads the alias that a registered type was written under before: its JSON has stayed as it was.</summary>
    /// <exception cref="ArgumentException">The type is not registered, or the alias is taken.</exception>
    public EventTypeMap Renamed<T>(string oldAlias) where T : class
    {
        AddReader(oldAlias, typeof(T), _readers[OfType(typeof(T)).Alias]);
        return this;
    }

    /// <summary>Reads an old alias by turning its JSON into a current event.</summary>
    public EventTypeMap Upcast<T>(string oldAlias, Func<JsonElement, T> upcast) where T : class
    {
        AddReader(oldAlias, typeof(T), bytes =>
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
        where TOld : class where TNew : class => AddOldShape(oldAlias, json, [typeof(TNew)], old => upcast(old));

    /// <summary>
    /// Reads an event of an old alias as several, at least one, in this order. They are one row still: they have its position, its
    /// version and its id, and no reader stops between them (docs/decisions/0049-split-events.md).
    /// </summary>
    /// <param name="into">The types that come of it; each may itself be an old shape with an upcaster.</param>
    public EventTypeMap Split<TOld>(string oldAlias, JsonTypeInfo<TOld> json, Type[] into, Func<TOld, IReadOnlyList<object>> split)
        where TOld : class =>
        AddOldShape(oldAlias, json, into, old => split(old) is { Count: > 0 } parts && parts.All(part => into.Contains(part.GetType()))
            ? new SplitEvent(parts)
            : throw new InvalidOperationException($"an event of type {oldAlias} is split into nothing, or into what it was not registered with"));

    /// <summary>Says which members of a registered alias are personal.</summary>
    public EventTypeMap Seal(string alias, PersonalMembers members)
    {
        if (!_readers.ContainsKey(alias))
            throw new ArgumentException($"{alias} is not registered", nameof(alias));
        _personal.Add(alias, members);
        foreach (var type in _current.Values)
            if (type.Alias == alias)
                type.Personal = members;
        return this;
    }

    /// <summary>What may be sealed in events of an alias; null: nothing.</summary>
    public PersonalMembers? PersonalOf(string alias) => _personal.GetValueOrDefault(alias);

    /// <summary>
    /// The event that a row holds, upcast; <see cref="UnknownEvent"/> for an alias that is not registered, <see cref="SplitEvent"/> where
    /// it is read as several.
    /// </summary>
    public object Read(string alias, ReadOnlySpan<byte> json)
    {
        if (!_readers.TryGetValue(alias, out var reader))
            return new UnknownEvent(alias, Encoding.UTF8.GetString(json));
        return Today(reader(json));
    }

    private object Today(object @event)
    {
        while (_upcasters.TryGetValue(@event.GetType(), out var upcast))
            @event = upcast(@event);
        if (@event is not SplitEvent split)
            return @event;
        var parts = new List<object>(split.Parts.Count);
        foreach (var part in split.Parts.Select(Today))
        {
            if (part is SplitEvent further)
                parts.AddRange(further.Parts);
            else
                parts.Add(part);
        }
        return new SplitEvent(parts);
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

    /// <summary>
    /// Says how to read of an alias no more than states, and the tables that are folded with the commits, are made of: of a million events that
    /// are folded once more most of the time would go into texts that nobody looks at.
    /// </summary>
    public EventTypeMap Slice(string alias, EventSlice slice)
    {
        if (!_readers.ContainsKey(alias) || !_slices.TryAdd(alias, slice))
            throw new ArgumentException($"{alias} is not registered, or has its slice already", nameof(alias));
        return this;
    }

    /// <summary>Like <see cref="TryRead"/>, without what no state and no table that is folded with the commits is made of.</summary>
    public object TryReadSlice(string alias, ReadOnlySpan<byte> json) =>
        _slices.TryGetValue(alias, out var slice) && slice(json) is { } @event ? @event : TryRead(alias, json);

    /// <exception cref="ArgumentException">The type is not registered.</exception>
    public EventType Of(object @event) => OfType(@event.GetType());

    private EventType OfType(Type type) => _current.GetValueOrDefault(type) ?? throw new ArgumentException($"{type} is not a registered event type");

    /// <summary>The types of today that events of an alias are read as: one, but for a split one.</summary>
    /// <exception cref="ArgumentException">The alias is unknown, or leads to a type that is not registered.</exception>
    public IReadOnlyList<EventType> ReadAs(string alias)
    {
        var found = new List<EventType>();
        var ahead = new Stack<Type>([_shapes.GetValueOrDefault(alias) ?? throw new ArgumentException($"{alias} is not registered", nameof(alias))]);
        while (ahead.TryPop(out var shape))
        {
            if (_successors.TryGetValue(shape, out var successors))
                Array.ForEach(successors, ahead.Push);
            else if (OfType(shape) is var type && !found.Contains(type))
                found.Add(type);
        }
        return found;
    }

    /// <summary>These aliases, and the older ones that are read as events of theirs: how what is asked for lies in the log.</summary>
    public string[] StoredAs(IEnumerable<string> aliases)
    {
        var asked = aliases.ToHashSet(StringComparer.Ordinal);
        return
        [
            .. asked,
            .. _shapes.Keys.Where(alias => !asked.Contains(alias) && !IsCurrent(alias) && ReadAs(alias).Any(type => asked.Contains(type.Alias))),
        ];
    }

    private bool IsCurrent(string alias) => _current.TryGetValue(_shapes[alias], out var type) && type.Alias == alias;

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

    private EventTypeMap AddOldShape<TOld>(string oldAlias, JsonTypeInfo<TOld> json, Type[] into, Func<TOld, object> upcast) where TOld : class
    {
        RequireMartenJson(json);
        if (_current.ContainsKey(typeof(TOld)) || !_upcasters.TryAdd(typeof(TOld), old => upcast((TOld)old)))
            throw new ArgumentException($"{typeof(TOld)} is registered already", nameof(oldAlias));
        _successors[typeof(TOld)] = into;
        AddReader(oldAlias, typeof(TOld), bytes => JsonSerializer.Deserialize(bytes, json) ?? throw NotAnObject(oldAlias));
        return this;
    }

    private void AddReader(string alias, Type shape, Reader reader)
    {
        if (!_readers.TryAdd(alias, reader))
            throw new ArgumentException($"{alias} is registered already", nameof(alias));
        _shapes[alias] = shape;
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
