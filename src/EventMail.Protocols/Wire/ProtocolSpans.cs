using System.Diagnostics;

namespace EventMail.Protocols.Wire;

/// <summary>Spans of what sessions do. Where nobody listens there are none.</summary>
internal static class ProtocolSpans
{
    private static readonly ActivitySource Source = new("EventMail");

    /// <summary>It is no one's parent by the way: sessions go on on other threads, and end it where they please.</summary>
    public static Activity? Begin(string name)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var before = Activity.Current;
        var span = Source.StartActivity(name, ActivityKind.Server);
        Activity.Current = before;
        return span;
    }
}
