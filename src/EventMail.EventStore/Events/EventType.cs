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

    /// <summary>What of it is sealed; null: nothing.</summary>
    public PersonalMembers? Personal { get; internal set; }

    /// <summary>The event as UTF-8 JSON. NULs become U+FFFD: jsonb takes none, and the whole transaction would fail for it.</summary>
    public byte[] Write(object @event)
    {
        var json = _write(@event);
        ReplaceNuls(json);
        return json;
    }

    // The serializer writes a NUL as \u0000. With an odd number of backslashes before the u it is one; \\u0000 is text.
    private static void ReplaceNuls(Span<byte> json)
    {
        var escaped = "\\u0000"u8;
        for (var at = json.IndexOf(escaped); at >= 0;)
        {
            var first = at;
            while (first > 0 && json[first - 1] == (byte)'\\')
                first--;
            if ((at - first) % 2 == 0)
                "\\uFFFD"u8.CopyTo(json[at..]);
            var next = json[(at + escaped.Length)..].IndexOf(escaped);
            at = next < 0 ? -1 : at + escaped.Length + next;
        }
    }
}
