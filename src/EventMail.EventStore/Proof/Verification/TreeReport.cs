namespace EventMail.EventStore.Proof;

/// <summary>What became of an event since the tree took it in.</summary>
public enum LeafFault
{
    /// <summary>Nothing stands at its position any more, and it stands nowhere else.</summary>
    Removed,

    /// <summary>The tree never took it in, though it stands before events that the tree has.</summary>
    Inserted,

    /// <summary>Another one stands at its position.</summary>
    Changed,

    /// <summary>It stands at another position.</summary>
    Moved,
}

/// <param name="Position">Where it stood; where it stands, for one that was inserted.</param>
/// <param name="Elsewhere">Where one that was moved stands now.</param>
public readonly record struct LeafFinding(LeafFault Fault, long Position, long? Elsewhere = null);

public enum CheckpointVerdict
{
    /// <summary>The log of that size is a beginning of today's.</summary>
    Holds,

    /// <summary>Today's log has fewer events.</summary>
    LogIsShorter,

    /// <summary>The first events of today's log are others.</summary>
    Differs,
}

/// <param name="TreeHolds">The stored tree is one that the checkpoint can be of: what differs from it was changed in the log, and not in the tree.</param>
public readonly record struct CheckpointFinding(Checkpoint Checkpoint, CheckpointVerdict Verdict, bool TreeHolds);

/// <summary>Two logs were signed: there are checkpoints of one size with different roots.</summary>
public sealed record CheckpointFork(long Size, IReadOnlyList<TreeHash> Roots)
{
    /// <summary>By size; whichever of them holds today.</summary>
    public static IReadOnlyList<CheckpointFork> In(IEnumerable<CheckpointFinding> findings) =>
    [
        .. findings.Select(finding => finding.Checkpoint).GroupBy(checkpoint => checkpoint.Size, checkpoint => checkpoint.Root)
            .Select(roots => new CheckpointFork(roots.Key, [.. roots.Distinct()])).Where(fork => fork.Roots.Count > 1).OrderBy(fork => fork.Size),
    ];
}

/// <summary>How today's log, the tree that was kept of it, and checkpoints fit together.</summary>
/// <param name="Events">In the log.</param>
/// <param name="Root">Of the tree over them.</param>
/// <param name="Leaves">Events that are not what the stored tree took in.</param>
/// <param name="MoreLeaves">How many differences are not among them.</param>
/// <param name="Damages">Faults of the stored tree itself.</param>
public sealed record TreeReport(
    long Events, TreeHash Root, IReadOnlyList<CheckpointFinding> Checkpoints, IReadOnlyList<LeafFinding> Leaves, long MoreLeaves,
    IReadOnlyList<string> Damages)
{
    public bool Holds => Leaves.Count == 0 && Damages.Count == 0 && Checkpoints.All(c => c.Verdict == CheckpointVerdict.Holds);
}
