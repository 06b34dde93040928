using System.Text.Json;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Projections.Verification;

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
/// <param name="Contents">Also reads every message that the log names, and compares its octets with their SHA-256 there.</param>
internal sealed record NewAuditDocument(string? Account = null, string? UnhashedUntil = null, bool Contents = false);

/// <param name="Since">An older checkpoint, which somebody holds: its signed note, with its line ends. Of several the last.</param>
/// <param name="Size">Up to the checkpoint of so many events that is kept here; a new one by default.</param>
internal sealed record NewContinuationDocument(string Since, long? Size = null);

/// <summary>An event, or a stream, that is not as it was written.</summary>
/// <param name="Fault">changed, removed, inserted …</param>
internal sealed record AuditFaultDocument(
    string Fault, long? Position, string Tenant, Guid Stream, long? Version, string? Type, DateTimeOffset? Time, string What)
{
    public static AuditFaultDocument Of(ChainFault fault) => new(
        NameOf(fault.Kind), fault.Position, fault.Tenant, fault.Stream, fault.Version, fault.Type, fault.Time, fault.Text);

    internal static string NameOf<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}

/// <summary>A message whose octets are not those of which the log has the digest.</summary>
/// <param name="Fault">missing, exchanged, damaged or locked.</param>
/// <param name="Number">The content's.</param>
/// <param name="Position">Of the first event that names it.</param>
internal sealed record ContentFaultDocument(string Fault, long Number, long Position, string Tenant, Guid Stream, string Type, string What)
{
    public static ContentFaultDocument Of(ContentFault fault) => new(
        fault.Fault, fault.Content, fault.Position, fault.Stream.Tenant, fault.Stream.Id, fault.Type, fault.Text);
}

/// <param name="Contents">That were read, and are what the log says.</param>
/// <param name="Octets">Theirs.</param>
/// <param name="Gone">That were released or erased, as events say.</param>
/// <param name="Moved">Of accounts that came from another database, those that are not here: its log says why.</param>
/// <param name="Found">The first of the faults.</param>
internal sealed record AuditedContentsDocument(long Contents, long Octets, long Gone, long Moved, long Faults, IReadOnlyList<ContentFaultDocument> Found)
{
    public static AuditedContentsDocument Of(AuditedContents audited)
    {
        var (contents, octets, gone, moved, faults) = audited.Summary;
        return new(contents, octets, gone, moved, faults, [.. audited.Found.Select(ContentFaultDocument.Of)]);
    }
}

/// <summary>Personal fields that cannot be opened any more, and that nobody ordered to be erased. No fault: a log that was restored to a time before an erasure looks the same.</summary>
/// <param name="Subject">An account's id, or a stream's.</param>
/// <param name="Events">How many have something sealed.</param>
/// <param name="Last">The last one's position.</param>
internal sealed record LostKeyDocument(string Subject, long Events, long Last)
{
    public static LostKeyDocument Of(LostSubject lost) => new(lost.Subject, lost.Events, lost.Last);
}

/// <summary>Checkpoints of one size with different roots: two logs were signed.</summary>
internal sealed record ForkDocument(long Size, IReadOnlyList<string> Roots)
{
    public static ForkDocument Of(CheckpointFork fork) => new(fork.Size, [.. fork.Roots.Select(root => root.ToString())]);
}

/// <param name="Verdict">holds, log_is_shorter or differs.</param>
internal sealed record CheckpointVerdictDocument(string Origin, long Size, DateTimeOffset? Time, string Verdict);

/// <param name="Elsewhere">Where one that was moved stands now.</param>
internal sealed record LeafDocument(string Fault, long Position, long? Elsewhere);

/// <param name="Root">Of the tree over today's log.</param>
/// <param name="Checkpoints">That do not hold, and the newest that does.</param>
/// <param name="Forked">Empty, unless two logs were signed.</param>
/// <param name="Differences">Events that are not what the stored tree took in; the first of them.</param>
/// <param name="Damages">Faults of the stored tree itself; the first of them.</param>
internal sealed record TreeDocument(
    bool Holds, long Events, string Root, int CheckpointsHeld, IReadOnlyList<CheckpointVerdictDocument> Checkpoints, IReadOnlyList<ForkDocument> Forked,
    IReadOnlyList<LeafDocument> Differences, long MoreDifferences, IReadOnlyList<string> Damages);

/// <param name="UpTo">The log's last position when it began.</param>
/// <param name="Unhashed">Events older than hashes.</param>
/// <param name="Foreign">Other applications' events.</param>
/// <param name="Found">The first of the faults.</param>
/// <param name="LostKeys">The first of them.</param>
/// <param name="Contents">Absent where no messages were read.</param>
/// <param name="Tree">Absent where one account was verified.</param>
internal sealed record AuditDocument(
    bool Holds, long Events, long Streams, long UpTo, long Unhashed, long Foreign, long Faults, IReadOnlyList<AuditFaultDocument> Found,
    IReadOnlyList<LostKeyDocument> LostKeys, AuditedContentsDocument? Contents, TreeDocument? Tree);
