using System.Collections.Frozen;
using System.Net.Security;
using EventMail.Host.Configuration;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Tls;

/// <summary>The server's certificates, chosen by the name that the client asks for (SNI).</summary>
public sealed class ServerCertificates
{
    private readonly CertificateSource _default;
    private readonly FrozenDictionary<string, CertificateSource> _byName;

    private ServerCertificates(CertificateSource byDefault, FrozenDictionary<string, CertificateSource> byName) =>
        (_default, _byName) = (byDefault, byName);

    /// <summary>Loads what the settings name; makes a self-signed certificate in the data folder when they name none.</summary>
    /// <exception cref="SettingsException">A file cannot be used.</exception>
    public static ServerCertificates Open(HostSettings settings, ILogger log)
    {
        var (certificate, key) = (settings.Tls.Certificate, settings.Tls.Key);
        if (certificate.Length == 0)
        {
            (certificate, key) = SelfSignedCertificate.Ensure(Path.Combine(settings.Data, "tls"), settings.EffectiveHostname, DateTimeOffset.UtcNow);
            log.SelfSigned(certificate);
        }
        var byName = settings.Tls.Hosts.ToFrozenDictionary(
            host => host.Key, host => new CertificateSource(host.Value.Certificate, host.Value.Key, log), StringComparer.OrdinalIgnoreCase);
        return new(new(certificate, key, log), byName);
    }

    /// <summary>For MailConnection.</summary>
    public ServerTls ServerTls => new((_, hello, _, _) => ValueTask.FromResult(Select(hello.ServerName)), CipherSuites.Accepted);

    /// <summary>The name itself, its wildcard, or else the default certificate.</summary>
    public SslServerAuthenticationOptions Select(string host)
    {
        if (_byName.Count == 0 || host.Length == 0)
            return _default.Current;
        if (_byName.TryGetValue(host, out var exact))
            return exact.Current;
        var dot = host.IndexOf('.');
        return dot > 0 && _byName.TryGetValue("*" + host[dot..], out var wildcard) ? wildcard.Current : _default.Current;
    }
}
