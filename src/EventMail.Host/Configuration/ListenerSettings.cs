using EventMail.Protocols.Imap;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;

namespace EventMail.Host.Configuration;

/// <summary>A TCP listener.</summary>
public record ListenerSettings
{
    /// <summary>0 takes any free port, off closes the listener.</summary>
    public Port Port { get; init; }

    /// <summary>The address to listen on: an IPv4 or IPv6 address, `localhost`, or `*` for all of this machine.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>One connection more is told so and closed.</summary>
    [Range(1)]
    public int MaxConnections { get; init; }

    /// <summary>At a time from one address (IPv6: one /64), so that one client cannot take them all. Loopback is not counted.</summary>
    [Range(1)]
    public int MaxConnectionsPerAddress { get; init; } = 20;
}

/// <summary>Mail from other servers (RFC 5321).</summary>
public sealed record SmtpSettings : ListenerSettings
{
    public SmtpSettings() => (Port, MaxConnections) = (1025, 100);

    /// <summary>RFC 5321 §4.5.3.2.7: the server waits at least 5 minutes for the next command.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long one command may take to arrive once its first byte is there, and to be answered.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long sessions may go on when the server stops.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>RFC 1870: the SIZE that is announced. LMTP has the same.</summary>
    [Bytes, Range(64 * 1024)]
    public long MaxMessageSize { get; init; } = 50L << 20;

    /// <summary>How much of a message that is looked at as a whole waits in memory; the rest of it is a file in `spool`.</summary>
    [Bytes, Range(16 * 1024, 1 << 30)]
    public long SpoolMemory { get; init; } = SpoolSpace.DefaultPerMessage;

    /// <summary>How much all of them together; beyond that they are files at once.</summary>
    [Bytes, Range(0)]
    public long SpoolMemoryForAll { get; init; } = SpoolSpace.DefaultForAll;

    /// <summary>How much a client may send that is not taken (before a login, too long, behind a refusal) before it is closed.</summary>
    [Bytes, Range(64 * 1024)]
    public long MaxDiscarded { get; init; } = 128L << 20;

    /// <summary>RFC 5321 §4.5.3.1.8: at least 100.</summary>
    [Range(100)]
    public int MaxRecipients { get; init; } = 1000;

    /// <summary>RFC 5321 §6.3: at least 100 Received fields before a message counts as looping.</summary>
    [Range(30)]
    public int MaxReceivedHeaders { get; init; } = 100;

    /// <summary>A client is closed after this many commands that were refused.</summary>
    [Range(1)]
    public int MaxErrors { get; init; } = 10;

    /// <summary>How long a client may be silent in the middle of a message.</summary>
    public TimeSpan DataTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a session may last in all. Bounds clients that send a byte now and then.</summary>
    public TimeSpan MaxSessionTime { get; init; } = TimeSpan.FromHours(2);

    /// <summary>Messages of one session. Announced by LIMITS MAILMAX.</summary>
    [Range(1)]
    public int MaxTransactions { get; init; } = 10_000;

    /// <summary>A client is closed after this many recipients that are nobody here: it is guessing addresses.</summary>
    [Range(1)]
    public int MaxUnknownRecipients { get; init; } = 100;

    /// <summary>What becomes of a message with line ends other than CRLF: Normalize or Refuse. None of them ever ends it.</summary>
    public BareLineEnds BareLineEnds { get; init; } = BareLineEnds.Normalize;
}

/// <summary>Mail from an MTA on this machine (RFC 2033). Time-outs and sizes are those of SMTP.</summary>
public sealed record LmtpSettings : ListenerSettings
{
    public LmtpSettings() => (Port, MaxConnections, MaxConnectionsPerAddress) = (Port.Off, 100, 100);
}

public sealed record ImapSettings : ListenerSettings
{
    public ImapSettings() => (Port, MaxConnections, MaxConnectionsPerAddress) = (1143, 200, 50);

    /// <summary>RFC 3501 §5.4: at least 30 minutes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a client in IDLE is told that the server is still there, so that NAT boxes keep the connection.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(29);

    /// <summary>Lets a client log out and in again as somebody else on one connection (UNAUTHENTICATE). Off behind a proxy that watches logins only.</summary>
    public bool Unauthenticate { get; init; } = true;

    /// <summary>How long sessions may go on when the server stops. IMAP and POP3.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The largest message that APPEND takes.</summary>
    [Bytes, Range(64 * 1024)]
    public long MaxMessageSize { get; init; } = 50L << 20;

    /// <summary>
    /// Plus (LITERAL+): clients may send a message of any size without asking first. Minus (LITERAL-): only up to 4,096 bytes, so that one that is
    /// too large is refused before it is sent.
    /// </summary>
    public NonSynchronizingLiterals NonSynchronizingLiterals { get; init; }

    /// <summary>
    /// Messages that one command works on; 0 for any number. Clients are told (MESSAGELIMIT, RFC 9738), but those that do not know it see
    /// part of a mailbox of more messages. RFC 9738 asks for 1000 at least.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int MessageLimit { get; init; }

    /// <summary>A client is closed after this many bad commands in a row.</summary>
    [Range(1)]
    public int MaxErrors { get; init; } = 10;
}

public sealed record Pop3Settings : ListenerSettings
{
    public Pop3Settings() => (Port, MaxConnections) = (1110, 100);

    /// <summary>RFC 1939 §3: at least 10 minutes.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The same for who has not logged in.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromMinutes(1);

    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(60);

    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(60);

    [Range(1)]
    public int MaxErrors { get; init; } = 10;
}
