namespace EventMail.Protocols.MailAuth.Dmarc;

/// <summary>The results of RFC 9989 §9.2 for Authentication-Results.</summary>
public enum DmarcResult
{
    /// <summary>No policy applies.</summary>
    None,
    Pass,
    Fail,
    TempError,

    /// <summary>There is not exactly one author's domain.</summary>
    PermError,
}

/// <summary>What a domain's owner asks for mail that fails (RFC 9989 §4.7), from mild to strict.</summary>
public enum DmarcPolicy
{
    None,
    Quarantine,
    Reject,
}

/// <param name="Domain">The author's, lower-case A-labels; null when there is not exactly one.</param>
/// <param name="Policy">What is asked for this author; null when there is no policy.</param>
/// <param name="PolicyDomain">Where the policy stands.</param>
/// <param name="Detail">For people: why there is no plain result; null where there is.</param>
public sealed record DmarcOutcome(DmarcResult Result, string? Domain, DmarcPolicy? Policy, string? PolicyDomain, string? Detail)
{
    /// <summary>
    /// From is such that not all who a reader may take for the author could be asked for their policy: too many, none, or something that
    /// is no address. Whoever is forged in it would have no say.
    /// </summary>
    public bool IsEvasive { get; init; }

    /// <summary>What to do: as the owner asks with a message that failed; aside with what keeps from owners that they are asked.</summary>
    public DmarcPolicy Requested => Result switch
    {
        DmarcResult.Fail => Policy ?? DmarcPolicy.None,
        DmarcResult.PermError when IsEvasive => DmarcPolicy.Quarantine,
        _ => DmarcPolicy.None,
    };
}
