namespace EventMail.Domain.Auditing;

// The events of the log's own stream, in the tenant that belongs to nobody: alarms.

/// <summary>An event, or the row of a stream, is not as it was written: somebody altered the log past this server. Told once.</summary>
/// <param name="Fault">How: changed, hash_missing, removed, reordered, inserted, duplicate_id, hidden, foreign_octets, stream, table or tree (as `audit verify --json` says it).</param>
/// <param name="Position">Where in the log; null when nothing stands there any more.</param>
/// <param name="Tenant">The account's id, as the row says it; empty, as the stream is, where it is not known, or the fault is no stream's.</param>
/// <param name="Version">In its stream; null where the stream's own row is meant.</param>
/// <param name="Type">As the row says it; null when this program knows no such type.</param>
/// <param name="IsQuarantined">Its stream was put into quarantine for it.</param>
public sealed record LogAltered(string Fault, long? Position, string Tenant, Guid Stream, long? Version, string? Type, bool IsQuarantined);

/// <summary>What was altered is as it was written again, or cannot be seen any more.</summary>
public sealed record LogAlterationEnded(string Fault, long? Position, string Tenant, Guid Stream, long? Version);
