using EventMail.Protocols.Dns;

namespace EventMail.Host.Configuration;

/// <summary>Whom mail asks for names. A recursive resolver on this machine that validates (unbound) is the best there is.</summary>
public sealed record DnsSettings
{
    /// <summary>Recursive resolvers, `127.0.0.1, [2001:db8::1]:5353`; those of /etc/resolv.conf, read again when it changes, when empty.</summary>
    public string Servers { get; init; } = "";

    /// <summary>How long one server has for one answer; 0: what resolv.conf says, else 5 s.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>How often each server is asked; 0: what resolv.conf says, else twice.</summary>
    [Range(0, 10)]
    public int Attempts { get; init; }

    /// <summary>Whether the servers are believed that they validated an answer (DNSSEC): Auto when all are on this machine or resolv.conf has `options trust-ad`.</summary>
    public TrustAd TrustAd { get; init; }

    /// <summary>Random case of the letters of a question: makes answers harder to forge. Turn off for a server that loses it.</summary>
    public bool MixCase { get; init; } = true;

    /// <summary>Longer TTLs are cut to this.</summary>
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The same for what does not exist.</summary>
    public TimeSpan MaxNegativeTtl { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Answers that are remembered.</summary>
    [Range(0, 10_000_000)]
    public int CacheEntries { get; init; } = 20_000;

    /// <summary>The memory that they may take.</summary>
    [Bytes, Range(0)]
    public long CacheSize { get; init; } = 16L << 20;

    /// <summary>Questions that are under way at a time.</summary>
    [Range(1, 10_000)]
    public int MaxConcurrent { get; init; } = 256;
}
