namespace EventMail.EventStore;

/// <summary>A stream of ours holds an event that this program does not know: its state would be wrong without it.</summary>
public sealed class UnknownEventException(string kind, StoredEvent e)
    : Exception($"{kind} {e.Stream} version {e.Version} is of the unknown type {e.Type}");
