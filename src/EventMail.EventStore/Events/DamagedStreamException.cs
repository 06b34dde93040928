namespace EventMail.EventStore;

/// <summary>A stream holds an event that cannot be folded: it takes no command until that row is repaired.</summary>
public class DamagedStreamException(string message, UnreadableRow row) : Exception(message)
{
    public DamagedStreamException(UnreadableRow row)
        : this($"The stream {row.Stream} is in quarantine: its version {row.Version} ({row.Type}, public.mt_events seq_id {row.Sequence}) {(row.IsAltered ? "was altered" : "cannot be read")}: {row.Error}", row)
    {
    }

    /// <summary>The first such event that was met.</summary>
    public UnreadableRow Row { get; } = row;
}

/// <summary>A stream of ours holds an event that this program does not know: its state would be wrong without it.</summary>
public sealed class UnknownEventException(string kind, StoredEvent e)
    : DamagedStreamException($"{kind} {e.Stream} version {e.Version} is of the unknown type {e.Type}", UnreadableRow.Of(e, "this program does not know the type"));

/// <summary>A stream of ours holds an event that cannot be read: it takes no command until the row is repaired.</summary>
public sealed class UnreadableEventException(string kind, StoredEvent e)
    : DamagedStreamException(
        $"{kind} {e.Stream} version {e.Version} ({e.Type}, public.mt_events seq_id {e.Sequence}) cannot be read: {((UnreadableEvent)e.Data).Error}. "
        + "The stream takes no commands until that row is repaired; `eventmail projections status` lists such rows",
        UnreadableRow.Of(e, ((UnreadableEvent)e.Data).Error));
