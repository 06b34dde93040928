using System.Diagnostics.CodeAnalysis;

namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>The tags that DKIM-Signature and ARC-Message-Signature share (RFC 6376 §3.5, RFC 8617 §4.1.2), by the grammar.</summary>
internal sealed record DkimSignature
{
    public required DkimAlgorithm Algorithm { get; init; }

    /// <summary>b=</summary>
    public required byte[] Signature { get; init; }

    /// <summary>bh=</summary>
    public required byte[] BodyHash { get; init; }

    public required Canonicalization Header { get; init; }

    public required Canonicalization Body { get; init; }

    /// <summary>d=</summary>
    public required string Domain { get; init; }

    /// <summary>s=</summary>
    public required string Selector { get; init; }

    /// <summary>h=, lower case, in order.</summary>
    public required string[] Names { get; init; }

    /// <summary>l=; null for all of the body.</summary>
    public required long? Length { get; init; }

    /// <summary>t=, in seconds since 1970.</summary>
    public required long? Time { get; init; }

    /// <summary>x=, in seconds since 1970.</summary>
    public required long? Expires { get; init; }

    public static bool TryRead(
        TagList tags, DkimLimits limits, [NotNullWhen(true)] out DkimSignature? signature, [NotNullWhen(false)] out DkimFault? fault)
    {
        var read = new SignatureTags(tags);
        read.Require("a", "b", "bh", "d", "h", "s");
        var domain = read.Domain();
        var known = Canonicalizations.TryParse(tags.Text("c"), out var header, out var body);
        signature = new()
        {
            Algorithm = read.Algorithm(),
            Domain = domain,
            Selector = read.Selector(domain),
            Signature = read.Octets("b"),
            BodyHash = read.Octets("bh"),
            Names = read.Names(limits.SignedNames),
            Length = read.Number("l", SignatureTags.LengthDigits),
            Time = read.Number("t", SignatureTags.TimeDigits),
            Expires = read.Number("x", SignatureTags.TimeDigits),
            Header = header,
            Body = body,
        };
        if (!known)
            read.Refuse(DkimVerdict.PermError, "unknown canonicalization");
        if (tags.Has("q") && !tags.Items("q").Contains("dns/txt", StringComparer.Ordinal))
            read.Refuse(DkimVerdict.PermError, "unknown query method");
        // RFC 6376 §6.1.1: "return PERMFAIL (From field not signed)"
        if (!signature.Names.Contains("from"))
            read.Refuse(DkimVerdict.PermError, "From field not signed");
        fault = read.Fault;
        return fault is null;
    }

    /// <summary>What the clock has to say (RFC 6376 §3.5, t= and x=).</summary>
    public DkimFault? FaultAt(DateTimeOffset now, TimeSpan skew)
    {
        if (Time is { } time && Expires is { } expires && expires <= time)
            return new(DkimVerdict.PermError, "x= is not later than t=");
        if (Expires is { } end && end < (now - skew).ToUnixTimeSeconds())
            return new(DkimVerdict.PermError, "signature expired");
        return Time is { } start && start > (now + skew).ToUnixTimeSeconds()
            ? new(DkimVerdict.Policy, "signed in the future")
            : null;
    }
}
