using EventMail.Protocols.MailAuth;

namespace EventMail.Host.Configuration;

/// <summary>Checks of mail that comes by SMTP from other servers: iprev, SPF, DKIM, DMARC. LMTP's mail was checked by whoever hands it in.</summary>
public sealed record MailAuthSettings
{
    /// <summary>Off: mail goes straight into the store, and nothing is asked or written down.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Whose mail is not checked, `192.0.2.0/24, 2001:db8::/32, 198.51.100.7`: this machine, relays of one's own. Empty for nobody.</summary>
    public string TrustedNetworks { get; init; } = "127.0.0.0/8, ::1";

    /// <summary>Domains of forwarders and lists whose ARC seals are believed, `lists.example, relay.example`: a failure of DMARC is forgiven where
    /// all that sealed a message are among them and the first of them saw it pass.</summary>
    public string TrustedSealers { get; init; } = "";

    /// <summary>For all checks of one message together; what has no result by then has a temporary error, which refuses nothing.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What becomes of mail that fails its author's DMARC policy: Off, Record, Quarantine (into Spam) or Reject (550 where the author's domain asks for that).</summary>
    public DmarcHandling Dmarc { get; init; } = DmarcHandling.Quarantine;
}
