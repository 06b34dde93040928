namespace EventMail.Host.Configuration;

/// <summary>
/// Every setting with its default. Keys are the property names joined by a colon (`Imap:Port`); in the environment
/// `EVENTMAIL_Imap__Port`. Times as `30s` or `5min`, sizes as `35MiB`.
/// </summary>
public sealed record HostSettings
{
    /// <summary>The data folder: everything the server keeps. Also --data.</summary>
    public string Data { get; init; } = DataFolder.Default;

    /// <summary>The name the server greets with and writes into trace headers; the machine's own when empty.</summary>
    public string Hostname { get; init; } = "";

    public SmtpSettings Smtp { get; init; } = new();
    public LmtpSettings Lmtp { get; init; } = new();
    public SubmissionSettings Submission { get; init; } = new();
    public ListenerSettings Submissions { get; init; } = new() { Port = 1465, MaxConnections = 100, MaxConnectionsPerAddress = 50 };
    public ImapSettings Imap { get; init; } = new();
    public ListenerSettings Imaps { get; init; } = new() { Port = 1993, MaxConnections = 200, MaxConnectionsPerAddress = 50 };
    public Pop3Settings Pop3 { get; init; } = new();
    public ListenerSettings Pop3s { get; init; } = new() { Port = 1995, MaxConnections = 100 };
    public HttpSettings Http { get; init; } = new();
    public WebhookSettings Webhooks { get; init; } = new();
    public TelemetrySettings Telemetry { get; init; } = new();
    public DeliverySettings Delivery { get; init; } = new();
    public MailAuthSettings MailAuth { get; init; } = new();
    public FilterSettings Filters { get; init; } = new();
    public DnsSettings Dns { get; init; } = new();
    public TlsSettings Tls { get; init; } = new();
    public AuthSettings Auth { get; init; } = new();
    public ThrottleSettings Throttle { get; init; } = new();
    public QuotaSettings Quota { get; init; } = new();
    public ContentSettings Content { get; init; } = new();
    public KeySettings Keys { get; init; } = new();
    public RetentionSettings Retention { get; init; } = new();
    public SearchSettings Search { get; init; } = new();
    public PastSettings Past { get; init; } = new();
    public ProjectionSettings Projections { get; init; } = new();
    public AuditSettings Audit { get; init; } = new();
    public BackupSettings Backup { get; init; } = new();
    public CaptureSettings Capture { get; init; } = new();
    public DatabaseSettings Database { get; init; } = new();
    public LogSettings Log { get; init; } = new();

    public string EffectiveHostname => Hostname.Length > 0 ? Hostname : Environment.MachineName;
}
