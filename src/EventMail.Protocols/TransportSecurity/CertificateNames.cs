using System.Security.Cryptography.X509Certificates;

namespace EventMail.Protocols.TransportSecurity;

/// <summary>Whether a certificate is for a name (RFC 7672 §3.2.3, RFC 6125 §6.4): DNS names first, the common name only without any.</summary>
internal static class CertificateNames
{
    public static bool Match(X509Certificate2 certificate, string name)
    {
        var alternatives = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames()).ToList();
        return alternatives.Count > 0
            ? alternatives.Exists(alternative => MatchesPattern(name, alternative))
            : MatchesPattern(name, certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
    }

    /// <summary>`*` stands for exactly one whole label, the first (RFC 6125 §6.4.3, RFC 8461 §4.1).</summary>
    public static bool MatchesPattern(string name, string pattern)
    {
        if (!pattern.StartsWith("*.", StringComparison.Ordinal))
            return pattern.Length > 0 && name.Equals(pattern, StringComparison.OrdinalIgnoreCase);
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && name.AsSpan(dot).Equals(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase);
    }
}
