namespace EventMail.Host.Configuration;

/// <summary>
/// Capture mode (`serve --capture`), which only the command line can switch on: nothing here does. Port and Address are those of its
/// HTTP interface.
/// </summary>
public sealed record CaptureSettings : ListenerSettings
{
    public CaptureSettings() => (Port, MaxConnections, MaxConnectionsPerAddress) = (8080, 1000, 1000);

    /// <summary>
    /// Lets listeners be on addresses that other machines reach: anybody there may then read and delete everything. Without it a
    /// listener on such an address is refused.
    /// </summary>
    public bool AllowRemote { get; init; }

    /// <summary>
    /// Names besides localhost that browsers may call the HTTP interface by, separated by blanks; only with AllowRemote. Addresses may be used then, too.
    /// </summary>
    public string HostNames { get; init; } = "";

    /// <summary>
    /// The password of everybody in the mechanisms that show none: with it SCRAM is offered, and CRAM-MD5 and APOP are checked. PLAIN,
    /// LOGIN and tokens take whatever comes, all the same.
    /// </summary>
    [Secret]
    public string Password { get; init; } = "";

    /// <summary>Messages kept; beyond, the oldest go.</summary>
    [Range(1, 1_000_000)]
    public int MaxMessages { get; init; } = 10_000;

    /// <summary>Octets of decoded text, and of HTML, in a message's JSON; beyond, they are cut and marked so. All of it is at /parts.</summary>
    [Bytes, Range(1024, 64 << 20)]
    public long MaxText { get; init; } = 1 << 20;

    /// <summary>Event streams (/api/events) at a time; one more is told 503.</summary>
    [Range(1, 10_000)]
    public int MaxStreams { get; init; } = 100;

    /// <summary>How often a silent event stream carries a comment, so that proxies keep it.</summary>
    public TimeSpan StreamKeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>URLs of http or https, separated by blanks, that get each message as JSON (POST).</summary>
    [Secret]
    public string Webhooks { get; init; } = "";

    /// <summary>How often one message is offered to a webhook before it is given up.</summary>
    [Range(1, 100)]
    public int WebhookAttempts { get; init; } = 8;

    /// <summary>The wait before the second attempt; each further one is twice as long, up to a minute.</summary>
    public TimeSpan WebhookBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a webhook may take to answer.</summary>
    public TimeSpan WebhookTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Messages that wait for one webhook; beyond, the oldest are passed over, and the log says so.</summary>
    [Range(1, 1_000_000)]
    public int WebhookQueue { get; init; } = 1000;

    /// <summary>
    /// Recipients may ask for faults by their names: fail-CODE@… is refused with that code, slow-SECONDS@… is answered so much later.
    /// </summary>
    public bool FaultAddresses { get; init; }

    /// <summary>Faults from the start on, by a name of your choice.</summary>
    public IReadOnlyDictionary<string, FaultSettings> Faults { get; init; } = new Dictionary<string, FaultSettings>();
}

/// <summary>One fault on demand; as in the body of POST /api/faults.</summary>
public sealed record FaultSettings
{
    [OneOf("connect", "mail", "rcpt", "data", "auth")]
    public string Stage { get; init; } = "rcpt";

    /// <summary>An address, * for any characters in it; empty for all.</summary>
    public string Recipient { get; init; } = "";

    public string Sender { get; init; } = "";

    public string User { get; init; } = "";

    /// <summary>400 to 599; 0 for none.</summary>
    [Range(0, 599)]
    public int Code { get; init; }

    /// <summary>What follows the code, with the enhanced code.</summary>
    public string Text { get; init; } = "";

    public TimeSpan Delay { get; init; }

    /// <summary>The connection is cut.</summary>
    public bool Drop { get; init; }

    /// <summary>How often; 0 for always.</summary>
    [Range(0, int.MaxValue)]
    public int Count { get; init; }

    /// <summary>By chance, so often in a hundred; 0 for each time.</summary>
    [Range(0, 100)]
    public int Percent { get; init; }
}
