namespace EventMail.Protocols.MailAuth.Spf;

/// <summary>What check_host() says (RFC 7208 §2.6).</summary>
public enum SpfResult
{
    /// <summary>There is no policy, or no domain to look for one.</summary>
    None,
    Neutral,
    Pass,
    Fail,
    SoftFail,

    /// <summary>DNS did not answer: another time there may be a result.</summary>
    TempError,

    /// <summary>The domain's policy cannot be read, or asks for more than is allowed.</summary>
    PermError,
}

/// <summary>Whose word was checked (RFC 7208 §2.3, §2.4).</summary>
public enum SpfIdentity
{
    MailFrom,
    Helo,
}

/// <summary>An identity that was checked.</summary>
/// <param name="Domain">Whose policy was asked, lower case.</param>
/// <param name="Detail">For people: what was wrong; null where nothing was.</param>
/// <param name="Explanation">What the domain says to those whom it disowns (RFC 7208 §6.2): a stranger's text. Null for none.</param>
public sealed record SpfOutcome(SpfResult Result, SpfIdentity Identity, string Domain, string? Detail, string? Explanation);
