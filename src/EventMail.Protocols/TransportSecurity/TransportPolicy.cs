namespace EventMail.Protocols.TransportSecurity;

/// <summary>RFC 8461 §5.</summary>
public enum MtaStsMode
{
    /// <summary>No policy, or one that says so: nothing is demanded.</summary>
    None,

    /// <summary>What does not comply is told in the log; mail is delivered all the same.</summary>
    Testing,

    /// <summary>Mail goes only to servers that the policy names, over TLS with a certificate that is valid for the server's name (§4.1, §4.2).</summary>
    Enforce,
}

/// <summary>What a domain says of its mail servers (RFC 8461 §3.2).</summary>
/// <param name="Id">The TXT record's, when the policy was fetched; empty without a policy.</param>
/// <param name="Mx">Names, or `*.` and a name for one label more; lower case.</param>
public sealed record TransportPolicy(string Id, MtaStsMode Mode, IReadOnlyList<string> Mx, TimeSpan MaxAge)
{
    public static readonly TransportPolicy None = new("", MtaStsMode.None, [], TimeSpan.Zero);

    /// <summary>Whether the policy names this server (§4.1).</summary>
    public bool Allows(string mxHost) => Mx.Any(pattern => CertificateNames.MatchesPattern(mxHost.TrimEnd('.'), pattern));
}
