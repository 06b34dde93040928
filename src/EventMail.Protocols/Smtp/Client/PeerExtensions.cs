namespace EventMail.Protocols.Smtp.Client;

/// <summary>What the remote host's EHLO reply offers; after HELO nothing.</summary>
public sealed record PeerExtensions
{
    public static readonly PeerExtensions None = new();

    /// <summary>RFC 1870.</summary>
    public bool Size { get; init; }

    /// <summary>Octets; 0 when no limit was named.</summary>
    public long MaxSize { get; init; }

    /// <summary>RFC 6152.</summary>
    public bool EightBitMime { get; init; }

    /// <summary>RFC 6531.</summary>
    public bool SmtpUtf8 { get; init; }

    /// <summary>RFC 2920.</summary>
    public bool Pipelining { get; init; }

    /// <summary>RFC 3030.</summary>
    public bool Chunking { get; init; }

    /// <summary>RFC 3030; only together with CHUNKING.</summary>
    public bool BinaryMime { get; init; }

    /// <summary>RFC 3207.</summary>
    public bool StartTls { get; init; }

    /// <summary>RFC 3461.</summary>
    public bool Dsn { get; init; }

    /// <summary>RFC 2034.</summary>
    public bool EnhancedStatusCodes { get; init; }

    /// <summary>RFC 8689; counts inside TLS only.</summary>
    public bool RequireTls { get; init; }

    /// <summary>RFC 2852.</summary>
    public bool DeliverBy { get; init; }

    /// <summary>Seconds: the least that may be asked for (RFC 2852 §3); 0 when none was named.</summary>
    public int MinDeliverBy { get; init; }

    /// <summary>RFC 4865; what is held is held by us, so it is never asked for.</summary>
    public bool FutureRelease { get; init; }

    /// <summary>RFC 6710.</summary>
    public bool MtPriority { get; init; }

    /// <summary>RCPTMAX (RFC 9422); null when none was named.</summary>
    public int? MaxRecipients { get; init; }

    /// <summary>MAILMAX (RFC 9422); null when none was named.</summary>
    public int? MaxTransactions { get; init; }

    /// <summary>RCPTDOMAINMAX (RFC 9422): of recipients, in the whole session; null when none was named.</summary>
    public int? MaxDomains { get; init; }

    /// <summary>AUTH (RFC 4954): names of mechanisms, upper case.</summary>
    public IReadOnlyList<string> Mechanisms { get; init; } = [];
}
