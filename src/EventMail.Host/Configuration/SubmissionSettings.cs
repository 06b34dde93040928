namespace EventMail.Host.Configuration;

/// <summary>Mail of this server's own users (RFC 6409): on this port behind STARTTLS, on that of `Submissions` with TLS at once. Time-outs and sizes are those of Smtp.</summary>
public sealed record SubmissionSettings : ListenerSettings
{
    public SubmissionSettings() => (Port, MaxConnections, MaxConnectionsPerAddress) = (1587, 100, 50);

    /// <summary>Of one message. RFC 5321 §4.5.3.1.8: at least 100.</summary>
    [Range(100)]
    public int MaxRecipients { get; init; } = 1000;

    /// <summary>A client is closed after this many failed logins.</summary>
    [Range(1)]
    public int MaxFailedLogins { get; init; } = 5;

    /// <summary>Refuses messages whose From or Sender is not the account's to send as: its address, an alias that leads to it, or a grant (`account send-as`).</summary>
    public bool CheckFrom { get; init; } = true;

    /// <summary>Leaves the client's address and name out of the Received field.</summary>
    public bool HideClient { get; init; } = true;

    /// <summary>For how long a message may be held back (FUTURERELEASE); 0 does not offer it.</summary>
    public TimeSpan MaxHold { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The highest priority that a client is given (MT-PRIORITY, -9 to 9): what it asks for beyond is lowered.</summary>
    [Range(-9, 9)]
    public int MaxPriority { get; init; } = 4;

    /// <summary>Messages that one account may submit in an hour; 0 for any number. Each Host counts for itself.</summary>
    [Range(0)]
    public int MessagesPerHour { get; init; } = 500;

    /// <summary>Recipients of one account's messages in an hour; 0 for any number.</summary>
    [Range(0)]
    public int RecipientsPerHour { get; init; } = 2000;

    /// <summary>Messages from one address (IPv6: a /64) in an hour, whoever is logged in; 0 for any number.</summary>
    [Range(0)]
    public int MessagesPerHourPerAddress { get; init; } = 2000;

    /// <summary>Recipients of messages from one address in an hour; 0 for any number.</summary>
    [Range(0)]
    public int RecipientsPerHourPerAddress { get; init; } = 10_000;

    /// <summary>Of one account's messages that wait to be delivered to others; beyond it 452 4.3.1. 0 for any size.</summary>
    [Bytes, Range(0)]
    public long MaxWaitingOctets { get; init; } = 1L << 30;

    /// <summary>Messages of one account that wait to be delivered to others; beyond it 452 4.3.1. 0 for any number.</summary>
    [Range(0)]
    public int MaxWaitingMessages { get; init; } = 10_000;

    /// <summary>Addresses of this machine are not counted (webmail); accounts are.</summary>
    public bool ExemptLoopback { get; init; } = true;
}
