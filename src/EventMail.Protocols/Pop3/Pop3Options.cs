namespace EventMail.Protocols.Pop3;

/// <summary>POP3's limits and choices; the defaults are the server's.</summary>
public sealed record Pop3Options
{
    /// <summary>Octets of a command with its CRLF. RFC 2449 §4 asks for at least 255.</summary>
    public int MaxCommandLength { get; init; } = 512;

    /// <summary>RFC 1939 §3: at least 10 minutes; then the connection is closed without a word and nothing is removed.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The same before the login, where RFC 1939's ten minutes protect nobody's maildrop.</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a command may take from its first octet to its last.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A client is closed after this many commands in a row that are no commands here and now.</summary>
    public int MaxErrors { get; init; } = 10;

    /// <summary>A client is closed after this many failed logins.</summary>
    public int MaxFailedLogins { get; init; } = 5;

    /// <summary>How many octets of the messages that follow are read in one go when a client retrieves one after the other.</summary>
    public int ReadAheadOctets { get; init; } = 256 * 1024;

    /// <summary>How many messages are read in one go.</summary>
    public int ReadAheadMessages { get; init; } = 32;

    /// <summary>QUIT marks what was retrieved and stays in the maildrop as \Seen.</summary>
    public bool MarkRetrievedSeen { get; init; } = true;

    /// <summary>The right-hand side of the greeting's timestamp (RFC 1939 §7).</summary>
    public string HostName { get; init; } = "localhost";

    /// <summary>CAPA's IMPLEMENTATION (RFC 2449 §6.9).</summary>
    public string Implementation { get; init; } = "EventMail";
}
