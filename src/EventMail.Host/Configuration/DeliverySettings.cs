using EventMail.Protocols.Dns;

namespace EventMail.Host.Configuration;

/// <summary>Mail to other servers.</summary>
public sealed record DeliverySettings
{
    /// <summary>Without it what is submitted waits in the queue; another server on the same database may deliver it.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Where other servers take mail. Another one is for tests and for networks that forward it.</summary>
    [Range(1, 65_535)]
    public int Port { get; init; } = 25;

    /// <summary>The name in EHLO, best the one that our address's PTR record has; the server's Hostname when empty.</summary>
    public string Hostname { get; init; } = "";

    /// <summary>The addresses to connect from, one of IPv4, one of IPv6, or both, separated by blanks; the system chooses when empty.</summary>
    public string SourceAddress { get; init; } = "";

    /// <summary>Uses IPv6 addresses of other servers too.</summary>
    public bool IPv6 { get; init; } = true;

    /// <summary>Delivers also to addresses of this machine that the DNS names. Smarthosts may always be on this machine.</summary>
    public bool AllowLoopback { get; init; }

    /// <summary>Delivers also to addresses of private networks (10.0.0.0/8, fc00::/7 …) that the DNS names. Smarthosts may always be there.</summary>
    public bool AllowPrivate { get; init; }

    /// <summary>Public addresses that lead to this server but are on no interface of this machine (NAT), separated by blanks: mail to them would loop.</summary>
    public string OwnAddresses { get; init; } = "";

    /// <summary>Takes all mail to the outside, instead of the servers that the DNS names.</summary>
    public SmarthostSettings Smarthost { get; init; } = new();

    /// <summary>The same for one domain; `none` as its Host sends that domain's mail where the DNS says.</summary>
    public IReadOnlyDictionary<string, SmarthostSettings> Smarthosts { get; init; } = new Dictionary<string, SmarthostSettings>();

    /// <summary>How much TLS a domain's servers must speak at least, `*` for all: None, Opportunistic, Encrypted or Verified.</summary>
    public IReadOnlyDictionary<string, TlsPolicy> Tls { get; init; } = new Dictionary<string, TlsPolicy>();

    /// <summary>Transactions at a time.</summary>
    [Range(1, 10_000)]
    public int Concurrency { get; init; } = 100;

    /// <summary>Transactions at a time with one domain's servers, or with one smarthost.</summary>
    [Range(1, 1_000)]
    public int PerDestination { get; init; } = 20;

    /// <summary>Between the beginnings of two transactions with one destination.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.Zero;

    /// <summary>How long a destination that could not be reached is left alone: mail for it that is due meanwhile is deferred with the same reason.</summary>
    public TimeSpan CoolDown { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Recipients of one transaction, where the other server does not say how many it takes (RFC 5321 §4.5.3.1.8: 100 at least).</summary>
    [Range(1, 10_000)]
    public int MaxRecipients { get; init; } = 100;

    /// <summary>Hosts of a domain that are looked at.</summary>
    [Range(1, 100)]
    public int MaxHosts { get; init; } = 10;

    /// <summary>Addresses of these hosts that are tried in one attempt.</summary>
    [Range(1, 100)]
    public int MaxAddresses { get; init; } = 10;

    /// <summary>Servers that are asked to take the message in one attempt, those that could not be reached not counted.</summary>
    [Range(1, 100)]
    public int MaxSessions { get; init; } = 3;

    /// <summary>How long a connection waits for another message.</summary>
    public TimeSpan ReuseTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Messages that one connection sends.</summary>
    [Range(1)]
    public int MaxTransactions { get; init; } = 100;

    /// <summary>For one address to take the connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>RFC 5321 §4.5.3.2.1.</summary>
    public TimeSpan GreetingTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>RFC 5321 §4.5.3.2.2, §4.5.3.2.3: for the replies to EHLO, MAIL, RCPT and the like.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>RFC 5321 §4.5.3.2.4: for the reply to DATA.</summary>
    public TimeSpan DataTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>RFC 5321 §4.5.3.2.5: for a block of the message to be taken.</summary>
    public TimeSpan BlockTimeout { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>RFC 5321 §4.5.3.2.6: for the reply to the final dot. Shorter ones make duplicates.</summary>
    public TimeSpan FinalTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>From MAIL to the end of the message, its reply not included, against servers that use up all of each other time. What it cuts off is tried again.</summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The waits between attempts; after the last one it is given up.</summary>
    public Durations Schedule { get; init; } = new(
        TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30), TimeSpan.FromHours(1), TimeSpan.FromHours(2),
        TimeSpan.FromHours(4), TimeSpan.FromHours(8), TimeSpan.FromHours(16), TimeSpan.FromHours(24));

    /// <summary>Each wait is longer or shorter by up to this percentage, so that what failed together is not tried together.</summary>
    [Range(0, 50)]
    public int Jitter { get; init; } = 10;

    /// <summary>The wait after an attempt that a dying host of ours left without an outcome.</summary>
    public TimeSpan UnknownWait { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The sender is told once that a message is late.</summary>
    public TimeSpan WarnAfter { get; init; } = TimeSpan.FromHours(4);

    /// <summary>For how long a claimed message is ours; renewed while it is sent. After a crash others take it that late.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long transactions may go on when the server stops.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The addresses that other people's DNS may name.</summary>
    internal ReachableAddresses Reachable() => new(AllowLoopback, AllowPrivate);
}

/// <summary>A server that relays for us.</summary>
public sealed record SmarthostSettings
{
    /// <summary>Its name, or its address; empty for none.</summary>
    public string Host { get; init; } = "";

    [Range(1, 65_535)]
    public int Port { get; init; } = 587;

    public SmarthostTls Tls { get; init; } = SmarthostTls.StartTls;

    /// <summary>Its certificate must be valid and in its name.</summary>
    public bool Verify { get; init; } = true;

    /// <summary>Whom we log in as; nobody when empty. Needs TLS.</summary>
    public string User { get; init; } = "";

    /// <summary>The file whose first line is the password. Read at each login.</summary>
    public string PasswordFile { get; init; } = "";
}

public enum SmarthostTls
{
    None,

    /// <summary>STARTTLS, and nothing is sent without it.</summary>
    StartTls,

    /// <summary>TLS from the first octet (port 465).</summary>
    Implicit,
}

/// <summary>The least that is asked of a connection to another server. What MTA-STS, DANE or REQUIRETLS ask beyond it holds too.</summary>
public enum TlsPolicy
{
    /// <summary>No TLS, whatever is offered or published: for servers whose TLS is broken.</summary>
    None,

    /// <summary>TLS when offered, any certificate.</summary>
    Opportunistic,

    /// <summary>TLS, any certificate.</summary>
    Encrypted,

    /// <summary>TLS with a valid certificate in the MX host's name.</summary>
    Verified,
}
