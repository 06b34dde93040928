namespace EventMail.Protocols.MailAuth.Dkim;

/// <summary>What became of one signature. What is said of it is safe to print: names are host names, texts printable ASCII.</summary>
/// <param name="Reason">For people, in ASCII; empty for a pass.</param>
public sealed record DkimResult(DkimVerdict Verdict, string Reason)
{
    /// <summary>What a message without a signature has as its only result.</summary>
    public static readonly DkimResult NotSigned = new(DkimVerdict.None, "");

    /// <summary>RFC 6008 §3: eight characters at least, more where they do not tell signatures apart.</summary>
    private const int StartOfSignature = 8;

    /// <summary>d=, lower-case A-labels; null when it is no domain.</summary>
    public string? Domain { get; init; }

    /// <summary>i=, or its default "@" and d=; null when it is no identity of d=, or not ASCII.</summary>
    public string? Identity { get; init; }

    /// <summary>s=; null when it is no selector.</summary>
    public string? Selector { get; init; }

    /// <summary>a=; null for what is not known here.</summary>
    public string? Algorithm { get; init; }

    /// <summary>The first eight characters of b=, which tell signatures of one domain apart (RFC 6008).</summary>
    public string? SignatureStart { get; init; }

    /// <summary>The key's t=y: the domain asks that its signatures make no difference yet (RFC 6376 §3.6.1).</summary>
    public bool IsTesting { get; init; }

    /// <param name="tags">As much of the signature as can be printed is taken from them.</param>
    internal static DkimResult Of(DkimVerdict verdict, string reason, TagList? tags)
    {
        if (tags is null)
            return new(verdict, reason);
        DkimNames.TryDomain(tags.Text("d"), out var domain);
        DkimNames.TrySelector(tags.Text("s"), out var selector);
        return new(verdict, reason)
        {
            Domain = domain,
            Selector = selector,
            Algorithm = DkimAlgorithms.Find(tags.Text("a"))?.Name(),
            SignatureStart = tags.Base64("b") is { Length: >= StartOfSignature } octets ? Convert.ToBase64String(octets)[..StartOfSignature] : null,
        };
    }
}

/// <summary>Why something is no signature, or no key.</summary>
internal sealed record DkimFault(DkimVerdict Verdict, string Reason);
