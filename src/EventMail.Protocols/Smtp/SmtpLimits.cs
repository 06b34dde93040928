namespace EventMail.Protocols.Smtp;

/// <summary>What one client may ask of the server. Times and counts are the operator's to change.</summary>
public sealed record SmtpLimits
{
    public static readonly SmtpLimits Default = new();

    /// <summary>RFC 5321 §4.5.3.2.7: the server waits at least 5 minutes for the next command.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a command line may take from its first byte to its last.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a client may be silent in the middle of a message.</summary>
    public TimeSpan DataTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a session may last in all. Bounds clients that send a byte now and then.</summary>
    public TimeSpan MaxSessionTime { get; init; } = TimeSpan.FromHours(2);

    /// <summary>How long a session may finish its transaction when the server stops; then it is told 421, before it is cut off.</summary>
    public TimeSpan StopTime { get; init; } = TimeSpan.FromSeconds(28);

    /// <summary>How long a client may be silent meanwhile.</summary>
    public TimeSpan StopSilence { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A command line without its line end. RFC 5321 §4.5.3.1.4 asks for 510, and extensions add to it: SIZE 26, BODY 16,
    /// SMTPUTF8 10 and longer addresses (RFC 6531 §3.3).
    /// </summary>
    public int MaxCommandLength { get; init; } = 2048;

    /// <summary>
    /// A path in MAIL or RCPT with its brackets. RFC 5321 §4.5.3.1.3 asks for 256; senders that write the recipient into the
    /// reverse-path (VERP) go beyond it.
    /// </summary>
    public int MaxPathLength { get; init; } = 512;

    /// <summary>RFC 1870: the SIZE that is announced, in bytes as sent by the client.</summary>
    public long MaxMessageSize { get; init; } = 50L << 20;

    /// <summary>
    /// Octets that a session without a message that came through may send to nowhere: chunks before a login or after a refusal, what goes
    /// beyond <see cref="MaxMessageSize"/>, lines that are too long. Then 421, and the connection is closed.
    /// </summary>
    public long MaxDiscarded { get; init; } = 128L << 20;

    /// <summary>RFC 5321 §4.5.3.1.8: at least 100. Announced by LIMITS RCPTMAX.</summary>
    public int MaxRecipients { get; init; } = 1000;

    /// <summary>Messages of one session. Announced by LIMITS MAILMAX.</summary>
    public int MaxTransactions { get; init; } = 10_000;

    /// <summary>RFC 5321 §6.3: at least 100 Received fields before a message counts as looping.</summary>
    public int MaxReceivedHeaders { get; init; } = 100;

    /// <summary>A client is closed after this many commands that are rubbish or out of order, without a message in between.</summary>
    public int MaxErrors { get; init; } = 10;

    /// <summary>A client is closed after this many recipients that are nobody here: it is guessing addresses.</summary>
    public int MaxUnknownRecipients { get; init; } = 100;

    /// <summary>A client is closed after this many failed logins.</summary>
    public int MaxFailedLogins { get; init; } = 5;

    /// <summary>For how long a message may be held back (FUTURERELEASE, RFC 4865). Announced.</summary>
    public TimeSpan MaxHold { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The highest priority that a client is given (MT-PRIORITY, RFC 6710): what it asks for beyond is lowered.</summary>
    public int MaxPriority { get; init; } = 4;

    /// <summary>Whether a message with line ends other than CRLF is taken. None of them ever ends the message.</summary>
    public BareLineEnds BareLineEnds { get; init; } = BareLineEnds.Normalize;
}

/// <summary>LF without CR, or CR without LF, in a message that comes by DATA (RFC 5321 §2.3.8 forbids both).</summary>
public enum BareLineEnds
{
    /// <summary>A bare LF becomes CRLF in the stored message; a bare CR stays, as any other byte.</summary>
    Normalize,

    /// <summary>The message is refused: 550 5.6.11.</summary>
    Refuse,
}
