using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EventMail.Protocols.Smtp.Client;

/// <summary>One handshake's view of the remote host's certificate.</summary>
internal sealed class PeerVerification(RemoteHost host, ClientTls tls)
{
    private readonly IReadOnlyList<string> _names = tls.Names.Count > 0 ? tls.Names : [ReferenceName(host.Name)];

    /// <summary>Why the certificate is not right; null when it is, or before it was seen.</summary>
    public string? Problem { get; private set; }

    public bool IsVerified { get; private set; }

    public SslClientAuthenticationOptions Options => new()
    {
        TargetHost = tls.ServerName ?? ReferenceName(host.Name),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        RemoteCertificateValidationCallback = Validate,
        // A certificate must not make us fetch what it names, and each session shows its certificates anew.
        CertificateChainPolicy = Policy,
        AllowTlsResume = false,
    };

    private X509ChainPolicy Policy
    {
        get
        {
            var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
            if (tls.TrustAnchors is { } anchors)
            {
                policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                policy.CustomTrustStore.AddRange(anchors);
            }

            return policy;
        }
    }

    private bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        try
        {
            Problem = certificate is X509Certificate2 own ? ProblemOf(own, chain, errors) : "no certificate";
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Made by somebody who wants to see what happens.
            Problem = $"the certificate cannot be read: {e.Message}";
        }

        IsVerified = Problem is null;
        return IsVerified || tls.Requirement != TlsRequirement.Verified;
    }

    private string? ProblemOf(X509Certificate2 certificate, X509Chain? chain, SslPolicyErrors errors) =>
        tls.Check is { } check ? check(certificate, chain is null ? [] : [.. chain.ChainPolicy.ExtraStore])
        : (errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0 ? ChainProblem(chain)
        // RFC 6125 §6.4.4, RFC 8461 §4.1: the subject's common name does not count.
        : _names.Any(name => certificate.MatchesHostname(name.TrimEnd('.'), allowWildcards: true, allowCommonName: false)) ? null
        : $"the certificate is not for {string.Join(", ", _names)}";

    // A host that is known by an address literal (RFC 5321 §4.1.3) has a certificate for the address.
    private static string ReferenceName(string name) =>
        name is ['[', .. var literal, ']'] ? literal.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase) ? literal[5..] : literal : name.TrimEnd('.');

    private static string ChainProblem(X509Chain? chain) =>
        chain is null ? "the certificate's chain cannot be built"
        : string.Join(", ", chain.ChainStatus.Select(status => status.Status.ToString()).Distinct()) is { Length: > 0 } problems ? $"the certificate is not trusted: {problems}"
        : "the certificate is not trusted";
}
