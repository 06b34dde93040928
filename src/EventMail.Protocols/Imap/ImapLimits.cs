namespace EventMail.Protocols.Imap;

/// <summary>What bounds an IMAP session. Sizes are octets.</summary>
public sealed record ImapLimits
{
    /// <summary>A command line, its literals not counted (RFC 2683 §3.2.1.5 asks for 8,000 at least; clients send long UID sets).</summary>
    public int MaxLineLength { get; init; } = 64 * 1024;

    /// <summary>One literal that is not APPEND's message.</summary>
    public int MaxLiteral { get; init; } = 64 * 1024;

    /// <summary>How large a literal may be that its client does not wait with.</summary>
    public NonSynchronizingLiterals NonSynchronizingLiterals { get; init; }

    /// <summary>A whole command with its literals, APPEND's message not counted.</summary>
    public int MaxCommandSize { get; init; } = 256 * 1024;

    /// <summary>A whole command of a client that has not logged in.</summary>
    public int MaxCommandSizeBeforeLogin { get; init; } = 16 * 1024;

    /// <summary>APPEND's message.</summary>
    public long MaxMessageSize { get; init; } = 50L << 20;

    /// <summary>Messages that one command works on (RFC 9738); 0 for any number, and then there is no MESSAGELIMIT.</summary>
    public int MessageLimit { get; init; }

    /// <summary>Messages of one APPEND (RFC 3502).</summary>
    public int MaxAppendMessages { get; init; } = 5000;

    /// <summary>Octets of all messages of one APPEND.</summary>
    public long MaxAppendOctets { get; init; } = 1L << 30;

    /// <summary>Of these octets, those that wait in memory for the commit: small messages do, large ones are files.</summary>
    public long MaxAppendMemory { get; init; } = 64L << 20;

    /// <summary>Nothing but silence from a client that has logged in and is not in IDLE (RFC 3501 §5.4: at least 30 minutes).</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The same of a client that has not logged in (RFC 9051 §5.4 lets the server be stricter then).</summary>
    public TimeSpan LoginTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>From the connection's beginning until the client must have logged in, however busy it is.</summary>
    public TimeSpan LoginDeadline { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>A literal of a refused command that is read away for a client that has not logged in; a larger one ends the session.</summary>
    public long MaxSkippedBeforeLogin { get; init; } = 64 * 1024;

    /// <summary>The same of a client that has logged in: what is twice the largest message has no better use.</summary>
    public long MaxSkipped { get; init; } = 100L << 20;

    /// <summary>Of a command line that is too long so much is read away; a longer one ends the session (a deflated one costs its client next to nothing).</summary>
    public long MaxSkippedLine { get; init; } = 4L << 20;

    /// <summary>From a command's first octet to its last; for APPEND's message each wait for more.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How often an idling client is told "Still here", so that NAT boxes keep the connection.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(29);

    /// <summary>Bad commands in a row that close the connection.</summary>
    public int MaxErrors { get; init; } = 10;

    /// <summary>Sessions of one account at once, over all IMAP listeners of this process.</summary>
    public int MaxSessionsPerUser { get; init; } = 100;

    /// <summary>Patterns of one LIST.</summary>
    public int MaxListPatterns { get; init; } = 100;

    /// <summary>Entries that one GETMETADATA, SETMETADATA or LIST names.</summary>
    public int MaxMetadataEntries { get; init; } = 200;

    /// <summary>Names of mailboxes in one NOTIFY.</summary>
    public int MaxNotifyNames { get; init; } = 1000;

    /// <summary>
    /// Mailboxes, and subscribed names, that wait to be told to a client of NOTIFY, each once however often it changes; more of them
    /// end its notifications (RFC 5465 §5.8).
    /// </summary>
    public int MaxPendingNotifications { get; init; } = 1000;

    /// <summary>Data items of one FETCH.</summary>
    public int MaxFetchItems { get; init; } = 100;

    /// <summary>Parentheses, NOT and OR of one SEARCH within each other.</summary>
    public int MaxSearchDepth { get; init; } = 50;

    /// <summary>Keys of one SEARCH in all.</summary>
    public int MaxSearchKeys { get; init; } = 1000;

    /// <summary>Criteria of one SORT.</summary>
    public int MaxSortCriteria { get; init; } = 20;

    /// <summary>Ids that messages of one THREAD refer to and none of them has; further ones link nothing.</summary>
    public int MaxMissingReferences { get; init; } = 200_000;

    /// <summary>Keys of one SEARCH that must look into messages, each over the whole mailbox.</summary>
    public int MaxSearchTextKeys { get; init; } = 50;

    /// <summary>Ranges of a search result that SAVE keeps for "$"; of one with more it keeps nothing (RFC 5182 §2.5).</summary>
    public int MaxSavedRanges { get; init; } = 200_000;

    /// <summary>Saved filters that name each other within one SEARCH (RFC 5466 §3.1: 3 at least).</summary>
    public int MaxFilterDepth { get; init; } = 10;

    /// <summary>Mailboxes of one ESEARCH (RFC 7377 §2.4).</summary>
    public int MaxSearchMailboxes { get; init; } = 5000;

    /// <summary>
    /// Searches and SORTs of one session whose changes are told (RFC 5267 §4.3.1), each of no more ranges, or sorted messages, than
    /// <see cref="MaxSavedRanges"/>.
    /// </summary>
    public int MaxSearchUpdates { get; init; } = 20;

    /// <summary>Ranges, or sorted messages, of all of these together, 12 octets each at most.</summary>
    public int MaxUpdatedResults { get; init; } = 1_000_000;

    /// <summary>
    /// How often the client of a long SEARCH is told "Still searching". A SEARCH that takes longer is given up when its client has
    /// gone or the server stops.
    /// </summary>
    public TimeSpan SearchNotice { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>APPENDs of a client that does not wait for replies whose commits may be under way together.</summary>
    public int MaxPendingAppends { get; init; } = 16;

    /// <summary>Octets of the messages of such APPENDs.</summary>
    public long MaxPendingOctets { get; init; } = 1 << 20;
}
