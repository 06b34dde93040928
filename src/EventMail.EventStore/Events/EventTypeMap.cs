using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EventMail.EventStore;

/// <summary>
/// Event types by their alias in mt_events.type. Filled at start, then read from many threads.
/// Aliases are explicit: renaming a class changes nothing that is stored.
/// </summary>
public sealed class EventTypeMap
{
    /// <summary>Registers a current event type. Its JSON has member names as declared, case-sensitive, nulls written (as Marten's).</summary>
    public EventTypeMap Register<T>(string alias, JsonTypeInfo<T> json) where T : class => throw new NotSupportedException();

    /// <summary>Reads an old alias by turning its JSON into a current event.</summary>
    public EventTypeMap Upcast<T>(string oldAlias, Func<JsonElement, T> upcast) where T : class => throw new NotSupportedException();

    /// <summary>
    /// Reads an old alias through its old shape. <typeparamref name="TNew"/> may itself be an old shape with an upcaster to the next.
    /// </summary>
    public EventTypeMap Upcast<TOld, TNew>(string oldAlias, JsonTypeInfo<TOld> json, Func<TOld, TNew> upcast)
        where TOld : class where TNew : class => throw new NotSupportedException();

    /// <summary>Marten's rule: the class name, split where a new word begins, joined by underscores, in lower case.</summary>
    public static string MartenAlias(string className) => throw new NotSupportedException();
}
