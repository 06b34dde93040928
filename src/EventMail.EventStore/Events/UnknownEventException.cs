namespace EventMail.EventStore;

/// <summary>A stream of ours holds an event that this program does not know: its state would be wrong without it.</summary>
public sealed class UnknownEventException(string kind, StoredEvent e)
    : Exception($"{kind} {e.Stream} version {e.Version} is of the unknown type {e.Type}");

/// <summary>A stream of ours holds an event that cannot be read: it takes no command until the row is repaired.</summary>
public sealed class UnreadableEventException(string kind, StoredEvent e)
    : Exception(
        $"{kind} {e.Stream} version {e.Version} ({e.Type}, public.mt_events seq_id {e.Sequence}) cannot be read: {((UnreadableEvent)e.Data).Error}. "
        + "The stream takes no commands until that row is repaired; `eventmail projections status` lists such rows");
