using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Host.DomainChecks;

/// <summary>What a domain of this server is checked against: its keys, the server's name and certificates.</summary>
internal static class DomainSetups
{
    /// <param name="given">As somebody wrote the domain's name.</param>
    /// <param name="addresses">The server's; those of its name when empty.</param>
    /// <returns>Refused for a domain that there is not, and when the certificate cannot be read.</returns>
    public static async Task<Result<DomainSetup>> OfAsync(
        MailStore store, HostSettings settings, string given, IReadOnlyList<IPAddress> addresses, CancellationToken cancel)
    {
        var (keys, rejection) = await store.DkimKeys.ListAsync(given, cancel);
        if (rejection is not null)
            return rejection;
        var domain = MailAddress.TryCanonicalDomain(given, out var canonical) ? canonical : given;
        var (certificates, unreadable) = Certificates(settings.Tls);
        if (unreadable is not null)
            return unreadable;
        return new DomainSetup(
            domain, settings.EffectiveHostname.ToLowerInvariant(), addresses,
            [
                .. keys!.Where(key => key.Status != DkimKeyStatus.Retired)
                    .Select(key => new DkimRecord(domain, key.Selector, DkimAlgorithms.OfKeyType(key.Algorithm), key.PublicKey)),
            ],
            certificates!);
    }

    // The self-signed one of a server without settings is none to publish.
    private static Result<X509Certificate2[]> Certificates(TlsSettings settings)
    {
        if (settings.Certificate.Length == 0)
            return Array.Empty<X509Certificate2>();
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(settings.Certificate);
            return certificates.ToArray();
        }
        catch (CryptographicException error)
        {
            return Rejection.Invalid($"{settings.Certificate}: {error.Message}");
        }
    }
}
