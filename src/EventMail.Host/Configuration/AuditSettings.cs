namespace EventMail.Host.Configuration;

/// <summary>Signed checkpoints of the log: what they are signed with, when, and where they go. And what is read of accounts under read auditing.</summary>
public sealed record AuditSettings
{
    /// <summary>The log's name in its checkpoints and its key, without spaces; the server's name when empty. It counts when the key is made.</summary>
    public string Origin { get; init; } = "";

    /// <summary>The file with the key that signs them; `audit.key` in the data folder when empty. Made when it is missing.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>The folder where they are kept, a file a day; `checkpoints` in the data folder when empty.</summary>
    public string Folder { get; init; } = "";

    /// <summary>How often one is signed while the log moves; 0s: only when the server stops, and by `audit checkpoint`.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A URL of https (of http on this machine) that gets each one as text (POST); none when empty.</summary>
    [Secret]
    public string Webhook { get; init; } = "";

    /// <summary>How long it may take to answer.</summary>
    public TimeSpan WebhookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A syslog (RFC 5424) that gets each one: `unix:/dev/log`, `udp:HOST:514` or `tcp:HOST:601`; none when empty.</summary>
    public string Syslog { get; init; } = "";

    /// <summary>The wait after the webhook or the syslog failed; each further one is twice as long, up to ten minutes. The newest checkpoint is what is tried then.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often all hashes of the log are verified behind the mail, on one Host at a time; 0s: never. What is found is an alarm.</summary>
    public TimeSpan VerifyEvery { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Events that it reads in a second.</summary>
    [Range(1, 1_000_000)]
    public int VerifyRate { get; init; } = 2000;

    /// <summary>A stream with an altered event is put into quarantine: its mailbox is served to nobody until the event is as it was written.</summary>
    public bool QuarantineAltered { get; init; }

    /// <summary>Hosts older than the hashes ran beside newer ones until then (2026-11-21T12:00:00Z): that events of theirs lack a hash is no alarm. None when empty.</summary>
    public string UnhashedUntil { get; init; } = "";

    /// <summary>Reads of accounts under read auditing: how long they are gathered before they become an event. A process that is killed takes so much with it.</summary>
    public TimeSpan ReadInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>So many messages of a mailbox that one session has read become an event before that.</summary>
    [Range(1, 100_000)]
    public int ReadMessages { get; init; } = 1000;
}
