namespace EventMail.Protocols.MailAuth.Arc;

/// <summary>The Chain Validation Status (RFC 8617 §4.4). All failures are permanent, those of the DNS, too (§5.2.1).</summary>
public enum ArcVerdict
{
    /// <summary>There is no chain.</summary>
    None,

    Pass,

    /// <summary>To be treated as a message without a chain (RFC 8617 §5.2).</summary>
    Fail,
}

/// <summary>What became of a message's chain.</summary>
/// <param name="Reason">For people, in ASCII; empty unless it failed.</param>
public sealed record ArcResult(ArcVerdict Verdict, string Reason)
{
    public static readonly ArcResult NoChain = new(ArcVerdict.None, "");

    /// <summary>The highest instance value; 0 where it is not known.</summary>
    public int Instance { get; init; }

    /// <summary>
    /// Of a pass: the lowest instance since which nobody changed what is signed, and 0 when nobody ever did (RFC 8617 §5.2, step 5).
    /// </summary>
    public int OldestPass { get; init; }

    /// <summary>Of a pass: the domains that sealed, the first hop's first (d= of each ARC-Seal, lower-case A-labels).</summary>
    public IReadOnlyList<string> Sealers { get; init; } = [];

    /// <summary>Of a pass: what each sealer found out before it sealed, in the same order (RFC 8617 §4.1.1, without the instance). Octets as
    /// they stand there, folded.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Findings { get; init; } = [];

    /// <summary>As it is written in Authentication-Results.</summary>
    public string Word => Verdict switch
    {
        ArcVerdict.None => "none",
        ArcVerdict.Pass => "pass",
        _ => "fail",
    };
}
