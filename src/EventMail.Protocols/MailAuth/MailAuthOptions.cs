namespace EventMail.Protocols.MailAuth;

/// <summary>What becomes of a message that fails DMARC.</summary>
public enum DmarcHandling
{
    /// <summary>DMARC is not asked.</summary>
    Off,

    /// <summary>It is written down, and nothing else.</summary>
    Record,

    /// <summary>What its author's domain wants quarantined or rejected is put into the mailbox for junk.</summary>
    Quarantine,

    /// <summary>What its author's domain wants rejected is refused (550 5.7.1); what it wants quarantined is junk.</summary>
    Reject,
}

/// <summary>How mail from other servers is checked.</summary>
public sealed record MailAuthOptions
{
    /// <summary>For all checks of one message together (RFC 7208 §4.6.4: at least 20 seconds). What has no result by then has a temporary error.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    public DmarcHandling Dmarc { get; init; } = DmarcHandling.Quarantine;

    /// <summary>Domains of forwarders whose ARC seals are believed, lower-case A-labels.</summary>
    public IReadOnlySet<string> TrustedSealers { get; init; } = new HashSet<string>();
}
