namespace EventMail.Host.Configuration;

/// <summary>The admin API, health and metrics (docs/http.md).</summary>
public sealed record HttpSettings : ListenerSettings
{
    public HttpSettings() => (Port, MaxConnections) = (8080, 200);

    /// <summary>
    /// Auto: with TLS where Tls:Certificate is set, or other machines reach the address. On, off: always, never; keys cross the network in the clear then.
    /// </summary>
    [OneOf("auto", "on", "off")]
    public string Tls { get; init; } = "auto";

    /// <summary>Names besides localhost and addresses that it may be called by, separated by blanks; with Address=127.0.0.1 addresses of loopback only.</summary>
    public string HostNames { get; init; } = "";

    /// <summary>Wrong keys from one address (IPv6: one /64) in a minute that are told 401; those beyond are told 429.</summary>
    [Range(1, 10_000)]
    public int MaxFailuresPerAddress { get; init; } = 10;

    /// <summary>Entries of a page at most; `limit` asks for fewer.</summary>
    [Range(1, 10_000)]
    public int MaxPage { get; init; } = 1000;

    /// <summary>Event streams (/api/v1/events) at a time; one more is told 503.</summary>
    [Range(1, 10_000)]
    public int MaxStreams { get; init; } = 100;

    /// <summary>Jobs (/api/v1/jobs) that run at a time; one more is told 503.</summary>
    [Range(1, 100)]
    public int MaxJobs { get; init; } = 4;

    /// <summary>Of jobs that are over, how many are remembered.</summary>
    [Range(1, 10_000)]
    public int KeptJobs { get; init; } = 100;

    /// <summary>How often a silent event stream carries its position, so that proxies keep it and a client that comes back reads nothing twice.</summary>
    public TimeSpan StreamKeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a reader of an event stream may take nothing before it is cut off. It comes back where it was.</summary>
    public TimeSpan StreamPatience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How far a read model may be behind the log before /health/ready says no.</summary>
    public TimeSpan ReadyLag { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Free space in the data folder below which /health/ready says no.</summary>
    [Bytes, Range(0)]
    public long ReadyDisk { get; init; } = 256L << 20;
}
