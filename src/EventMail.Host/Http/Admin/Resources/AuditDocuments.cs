using System.Text.Json;
using EventMail.EventStore.Proof;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Size">Events of the log.</param>
/// <param name="Note">The signed note itself (C2SP tlog-checkpoint).</param>
internal sealed record CheckpointDocument(string Origin, long Size, string Root, DateTimeOffset? Time, string Note)
{
    public static CheckpointDocument Of(SignedCheckpoint signed) => new(
        signed.Checkpoint.Origin, signed.Checkpoint.Size, signed.Checkpoint.Root.ToString(), signed.Checkpoint.Time, signed.ToString());
}

/// <param name="Account">Only this account's events (its address or id), by their hashes alone; without it the whole log, its tree and the checkpoints that are kept here.</param>
/// <param name="UnhashedUntil">Programs older than the hashes ran beside newer ones until then: their events are not told of.</param>
internal sealed record NewAuditDocument(string? Account = null, string? UnhashedUntil = null);

/// <summary>An event, or a stream, that is not as it was written.</summary>
/// <param name="Fault">changed, removed, inserted …</param>
internal sealed record AuditFaultDocument(
    string Fault, long? Position, string Tenant, Guid Stream, long? Version, string? Type, DateTimeOffset? Time, string What)
{
    public static AuditFaultDocument Of(ChainFault fault) => new(
        NameOf(fault.Kind), fault.Position, fault.Tenant, fault.Stream, fault.Version, fault.Type, fault.Time, fault.Text);

    internal static string NameOf<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}

/// <param name="Verdict">holds, log_is_shorter or differs.</param>
internal sealed record CheckpointVerdictDocument(string Origin, long Size, DateTimeOffset? Time, string Verdict);

/// <param name="Elsewhere">Where one that was moved stands now.</param>
internal sealed record LeafDocument(string Fault, long Position, long? Elsewhere);

/// <param name="Root">Of the tree over today's log.</param>
/// <param name="Checkpoints">That do not hold, and the newest that does.</param>
/// <param name="Differences">Events that are not what the stored tree took in; the first of them.</param>
/// <param name="Damages">Faults of the stored tree itself; the first of them.</param>
internal sealed record TreeDocument(
    bool Holds, long Events, string Root, int CheckpointsHeld, IReadOnlyList<CheckpointVerdictDocument> Checkpoints, IReadOnlyList<LeafDocument> Differences,
    long MoreDifferences, IReadOnlyList<string> Damages);

/// <param name="UpTo">The log's last position when it began.</param>
/// <param name="Unhashed">Events older than hashes.</param>
/// <param name="Foreign">Other applications' events.</param>
/// <param name="Found">The first of the faults.</param>
/// <param name="Tree">Absent where one account was verified.</param>
internal sealed record AuditDocument(
    bool Holds, long Events, long Streams, long UpTo, long Unhashed, long Foreign, long Faults, IReadOnlyList<AuditFaultDocument> Found, TreeDocument? Tree);
