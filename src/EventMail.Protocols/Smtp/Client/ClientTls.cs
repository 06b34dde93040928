using System.Security.Cryptography.X509Certificates;

namespace EventMail.Protocols.Smtp.Client;

public enum TlsRequirement
{
    /// <summary>STARTTLS is not used.</summary>
    None,

    /// <summary>
    /// TLS where it works, with any certificate; in the clear where it is not offered or fails (RFC 7435): on a new connection when
    /// the handshake failed.
    /// </summary>
    Opportunistic,

    /// <summary>TLS with any certificate, or nothing.</summary>
    Encrypted,

    /// <summary>TLS with a certificate that was checked, or nothing.</summary>
    Verified,
}

/// <summary>
/// Checks a certificate by other means than names and trust anchors, as DANE does (RFC 7672). Called during the handshake.
/// </summary>
/// <param name="certificate">The remote host's own.</param>
/// <param name="others">What it sent beside, in no particular order.</param>
/// <returns>Null when it is right, else why not, for people.</returns>
public delegate string? CertificateCheck(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> others);

/// <summary>What is asked of TLS.</summary>
public sealed record ClientTls
{
    public static readonly ClientTls Opportunistic = new();

    public TlsRequirement Requirement { get; init; } = TlsRequirement.Opportunistic;

    /// <summary>What <see cref="Domain.Deliveries.DeliveryTls.Policy"/> will say: "opportunistic", "mta-sts", "dane", "smarthost".</summary>
    public string Policy { get; init; } = "opportunistic";

    /// <summary>TLS from the first octet on (RFC 8314 §3.3), as on port 465. Never for opportunistic TLS.</summary>
    public bool Implicit { get; init; }

    /// <summary>What is sent as SNI (RFC 8446, RFC 7672 §8.1); null for the host's name.</summary>
    public string? ServerName { get; init; }

    /// <summary>The certificate must be for one of them (RFC 6125); empty for the host's name.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>Decides instead of names and trust anchors; null for those.</summary>
    public CertificateCheck? Check { get; init; }

    /// <summary>What <see cref="Check"/> goes by, in a form that can be compared: who was checked by something else is somebody else.</summary>
    public string CheckedBy { get; init; } = "";

    /// <summary>Trust anchors; null for the system's.</summary>
    public X509Certificate2Collection? TrustAnchors { get; init; }
}
