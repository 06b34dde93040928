using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.TransportSecurity;

/// <summary>What the DNS asks of a connection to a mail server (RFC 7672 §2.2).</summary>
public enum DaneStatus
{
    /// <summary>Nothing: no TLSA records, or none that were validated. MTA-STS or opportunistic TLS, then.</summary>
    None,

    /// <summary>There are TLSA records, none of which can be used: TLS is a must, the certificate may be any (§2.2).</summary>
    Encrypted,

    /// <summary>TLS with a certificate that the records name.</summary>
    Authenticated,

    /// <summary>The question could not be answered: this server must not be used now (§2.1.3, §2.2).</summary>
    Failed,
}

/// <param name="Records">The ones to authenticate by; empty unless <see cref="DaneStatus.Authenticated"/>.</param>
/// <param name="ServerName">The TLSA base domain: to be sent as SNI (§8.1).</param>
/// <param name="Names">What a certificate under a DANE-TA record may be for (§3.2.2); empty where there is no such record.</param>
/// <param name="Detail">For people: why it failed, or why records cannot be used; null otherwise.</param>
public sealed record DaneAnswer(
    DaneStatus Status, IReadOnlyList<TlsaRecord> Records, string ServerName, IReadOnlyList<string> Names, string? Detail)
{
    /// <summary>The records and names that a certificate is held against, in one word.</summary>
    public string Fingerprint
    {
        get
        {
            var records = Records.Select(record => $"{record.Usage} {record.Selector} {record.Matching} {Convert.ToHexStringLower(record.Data.Span)}");
            return Convert.ToHexStringLower(SHA256.HashData(
                Encoding.UTF8.GetBytes(string.Join('\n', [.. records.Order(StringComparer.Ordinal), "", .. Names.Order(StringComparer.OrdinalIgnoreCase)]))));
        }
    }

    /// <summary>
    /// Why the records do not allow this chain; null when they do. What the system itself thinks of the chain is no part of it. Fits
    /// <see cref="Smtp.Client.CertificateCheck"/>.
    /// </summary>
    /// <param name="others">The certificates that the peer sent beside its own, in any order.</param>
    public string? Refusal(X509Certificate2 certificate, X509Certificate2Collection others) => Status switch
    {
        DaneStatus.Authenticated => new DaneVerifier(Records, Names).Refusal(certificate, [.. others]),
        DaneStatus.Failed => Detail ?? "the TLSA records are not known",
        _ => null,
    };
}
