namespace EventMail.EventStore.Proof;

/// <summary>In what way the log is not as it was written.</summary>
public enum ChainFaultKind
{
    /// <summary>The event's hash is not that of what stands in its row.</summary>
    Changed,

    /// <summary>The event has no hash, though it was written when events had one.</summary>
    HashMissing,

    /// <summary>Events between others of their stream, or at its end, are not in the log.</summary>
    Removed,

    /// <summary>The event stands in the log before one that came earlier in its stream.</summary>
    Reordered,

    /// <summary>The event was put into the log by something else than this server: it has no right place.</summary>
    Inserted,

    /// <summary>An event has the id of another.</summary>
    DuplicateId,

    /// <summary>The event is marked as archived, which hides it from readers.</summary>
    Hidden,

    /// <summary>The event has octets in a column that this server does not write.</summary>
    ForeignOctets,

    /// <summary>The row of a stream says something else than its events.</summary>
    Stream,

    /// <summary>A table of the log is none, or shows not all of its rows.</summary>
    Table,

    /// <summary>The stored tree is not whole.</summary>
    Tree,
}

/// <summary>Something in the log that is not as it was written, and where.</summary>
/// <param name="Position">seq_id, where the fault is one of an event that is there.</param>
/// <param name="Tenant">tenant_id: the account's id.</param>
/// <param name="Text">In plain words, a sentence without its full stop.</param>
public sealed record ChainFault(
    ChainFaultKind Kind, long? Position, string Tenant, Guid Stream, long? Version, string? Type, DateTimeOffset? Time, string Text)
{
    /// <summary>Its kind in one word: in events, and where programs read it.</summary>
    public string Word => Kind switch
    {
        ChainFaultKind.Changed => "changed",
        ChainFaultKind.HashMissing => "hash_missing",
        ChainFaultKind.Removed => "removed",
        ChainFaultKind.Reordered => "reordered",
        ChainFaultKind.Inserted => "inserted",
        ChainFaultKind.DuplicateId => "duplicate_id",
        ChainFaultKind.Hidden => "hidden",
        ChainFaultKind.ForeignOctets => "foreign_octets",
        ChainFaultKind.Table => "table",
        ChainFaultKind.Tree => "tree",
        _ => "stream",
    };

    /// <summary>A fault of no event and no stream.</summary>
    internal static ChainFault OfLog(ChainFaultKind kind, string text, long? position = null) => new(kind, position, "", Guid.Empty, null, null, null, text);

    internal static ChainFault Of(ChainFaultKind kind, ChainRow row, string text) =>
        new(kind, row.Position, row.Facts.Tenant, row.Facts.Stream, row.Facts.Version, row.Facts.Type, row.Facts.Time, text);
}

/// <summary>How far verification is: so many of about so many events.</summary>
public readonly record struct ChainProgress(long Events, long Total);

/// <summary>What was verified.</summary>
/// <param name="UpTo">The log's last position when it began: what came later was not looked at.</param>
/// <param name="Unhashed">Of our events, those written before events had hashes: protected by what comes after them only.</param>
/// <param name="Foreign">Events of other applications in streams of their own, which have no hash.</param>
public sealed record ChainSummary(long Events, long Streams, long UpTo, long Unhashed, long Foreign, long Faults);

/// <summary>What is to be verified.</summary>
/// <param name="Tenant">One account's events alone; null: all of the log.</param>
/// <param name="UnhashedUntil">Programs older than the hashes ran beside newer ones until then: events of theirs are no faults.</param>
public sealed record ChainScope(string? Tenant = null, DateTimeOffset? UnhashedUntil = null);
