namespace EventMail.EventStore;

/// <summary>A registered current event type.</summary>
public sealed class EventType
{
    private readonly Func<object, byte[]> _write;

    internal EventType(string alias, Type type, Func<object, byte[]> write)
    {
        Alias = alias;
        Type = type;
        DotnetType = $"{type.FullName}, {type.Assembly.GetName().Name}";
        _write = write;
    }

    /// <summary>mt_events.type.</summary>
    public string Alias { get; }

    public Type Type { get; }

    /// <summary>mt_events.mt_dotnet_type: for Marten's readers; ours go by the alias.</summary>
    public string DotnetType { get; }

    /// <summary>The event as UTF-8 JSON.</summary>
    public byte[] Write(object @event) => _write(@event);
}
