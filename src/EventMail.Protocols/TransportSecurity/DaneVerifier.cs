using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMail.Protocols.Dns;

namespace EventMail.Protocols.TransportSecurity;

/// <summary>Authenticates a peer's chain by usable TLSA records (RFC 7672 §3, RFC 7671 §5).</summary>
internal sealed class DaneVerifier(IReadOnlyList<TlsaRecord> records, IReadOnlyList<string> names)
{
    /// <summary>More certificates than this are no chain of a mail server.</summary>
    public const int MaxPresented = 16;

    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    // Of a certificate up to the anchor; what is above it, and that the system does not know the anchor, is no matter.
    private const X509ChainStatusFlags Beside = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain
        | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;

    /// <summary>Null when one record allows it.</summary>
    public string? Refusal(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> presented)
    {
        // §3.1.1: the record itself says whose certificate it is: neither its names nor its dates matter.
        if (records.Any(record => record.Usage == TlsaUsability.DaneEe && Matches(record, certificate)))
            return null;
        var anchors = records.Where(record => record.Usage == TlsaUsability.DaneTa).ToList();
        if (anchors.Count == 0)
            return "the certificate matches no TLSA record";
        if (presented.Count > MaxPresented)
            return $"the server presented more than {MaxPresented} certificates";

        string? refusal = null;
        foreach (var anchor in Anchors(anchors, certificate, presented))
        {
            refusal = ChainFault(certificate, presented, anchor);
            if (refusal is not null)
                continue;
            // §3.2.2, §3.2.3
            return names.Any(name => CertificateNames.Match(certificate, name))
                ? null
                : $"the certificate is for none of {string.Join(", ", names)}";
        }
        return refusal ?? "no certificate of the chain matches a TLSA record";
    }

    // The certificates that records of usage DANE-TA name: issuers, never the server's own.
    private static IEnumerable<X509Certificate2> Anchors(
        List<TlsaRecord> records, X509Certificate2 certificate, IReadOnlyList<X509Certificate2> presented)
    {
        var issuers = presented.Where(other => !other.RawDataMemory.Span.SequenceEqual(certificate.RawDataMemory.Span));
        foreach (var issuer in issuers)
        {
            if (records.Exists(record => Matches(record, issuer)))
                yield return issuer;
        }
        // §3.1.2: "2 0 0" holds the anchor itself, so the server need not send it.
        foreach (var record in records.Where(record => record is { Selector: TlsaUsability.WholeCertificate, Matching: TlsaUsability.Exact }))
        {
            if (Load(record.Data) is { } anchor)
                yield return anchor;
        }
    }

    private static string? ChainFault(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> presented, X509Certificate2 anchor)
    {
        using var chain = new X509Chain();
        var policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.Add(anchor);
        policy.ExtraStore.AddRange(presented.ToArray());
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = true;
        policy.ApplicationPolicy.Add(new(ServerAuthentication));
        // The anchor may be in the middle: then the chain is a partial one to the system.
        policy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        chain.Build(certificate);

        foreach (var element in chain.ChainElements)
        {
            var faults = element.ChainElementStatus.Where(status => (status.Status & ~Beside) != 0).ToList();
            if (faults.Count > 0)
                return $"the chain to the TLSA record's certificate is not valid: {faults[0].Status}";
            if (element.Certificate.RawDataMemory.Span.SequenceEqual(anchor.RawDataMemory.Span))
                return null;
        }
        return "the chain does not lead to the TLSA record's certificate";
    }

    private static bool Matches(TlsaRecord record, X509Certificate2 certificate)
    {
        var selected = record.Selector == TlsaUsability.WholeCertificate
            ? certificate.RawDataMemory.Span
            : certificate.PublicKey.ExportSubjectPublicKeyInfo();
        return record.Matching switch
        {
            TlsaUsability.Exact => record.Data.Span.SequenceEqual(selected),
            TlsaUsability.Sha256 => record.Data.Span.SequenceEqual(SHA256.HashData(selected)),
            TlsaUsability.Sha512 => record.Data.Span.SequenceEqual(SHA512.HashData(selected)),
            _ => false,
        };
    }

    private static X509Certificate2? Load(ReadOnlyMemory<byte> data)
    {
        try
        {
            return X509CertificateLoader.LoadCertificate(data.Span);
        }
        catch (CryptographicException)
        {
            return null; // a record that nothing matches
        }
    }
}
