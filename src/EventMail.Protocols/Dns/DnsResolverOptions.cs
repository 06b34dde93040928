using System.Net;

namespace EventMail.Protocols.Dns;

/// <summary>Whose word it is that an answer was validated by DNSSEC.</summary>
public enum TrustAd
{
    /// <summary>
    /// The servers', when all of them are on this machine (nobody between can set the bit), or when resolv.conf says `options
    /// trust-ad`: the administrator's word that the way to them is safe.
    /// </summary>
    Auto,

    Always,

    Never,
}

/// <summary>How the resolver asks; each limit with its default.</summary>
public sealed record DnsResolverOptions
{
    /// <summary>Recursive resolvers in order of preference; those of <see cref="ResolvConf"/> when empty.</summary>
    public IReadOnlyList<IPEndPoint> Servers { get; init; } = [];

    public string ResolvConf { get; init; } = "/etc/resolv.conf";

    /// <summary>How long one server has for one answer; resolv.conf's `timeout`, else 5 s, when null.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How often each server is asked; resolv.conf's `attempts`, else twice, when null.</summary>
    public int? Attempts { get; init; }

    public TrustAd TrustAd { get; init; }

    /// <summary>Random case of the letters of a question: makes answers harder to forge.</summary>
    public bool MixCase { get; init; } = true;

    /// <summary>Longer TTLs are cut to this.</summary>
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The same for what does not exist (RFC 2308 §5).</summary>
    public TimeSpan MaxNegativeTtl { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a failure is remembered (RFC 9520 §3.2: at least a second).</summary>
    public TimeSpan FailureTtl { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Answers in the cache.</summary>
    public int CacheEntries { get; init; } = 20_000;

    /// <summary>About how much memory they may take.</summary>
    public long CacheBytes { get; init; } = 16L << 20;

    /// <summary>Questions that are under way at a time; more wait.</summary>
    public int MaxConcurrent { get; init; } = 256;

    /// <summary>CNAMEs that one question may lead through.</summary>
    public int MaxAliases { get; init; } = 10;

    /// <summary>Datagrams that answer something else, after which the question goes by TCP (RFC 5452 §9.1).</summary>
    public int MaxForeignAnswers { get; init; } = 5;

    /// <summary>A server that did not answer is asked last for so long.</summary>
    public TimeSpan AvoidSilentFor { get; init; } = TimeSpan.FromSeconds(30);
}
