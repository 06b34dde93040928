using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EventMail.Host.Tls;

/// <summary>The certificate of a server that was given none: clients must be told to trust it.</summary>
internal static class SelfSignedCertificate
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(3650);
    private static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>Its files in the folder, made anew when there are none, they expire, or the host has another name now.</summary>
    public static (string Certificate, string Key) Ensure(string folder, string hostname, DateTimeOffset now)
    {
        var certificate = Path.Combine(folder, "self-signed.pem");
        var key = Path.Combine(folder, "self-signed.key");
        if (File.Exists(certificate) && File.Exists(key) && Serves(certificate, hostname, now))
            return (certificate, key);

        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={hostname}", pair, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in new[] { hostname, "localhost" }.Distinct(StringComparer.OrdinalIgnoreCase))
            names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(now.AddHours(-1), now + Life);

        // The key first: a certificate without its key would count as made.
        Write(key, pair.ExportPkcs8PrivateKeyPem());
        Write(certificate, made.ExportCertificatePem());
        return (certificate, key);
    }

    private static bool Serves(string file, string hostname, DateTimeOffset now)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(file);
        return certificate.NotAfter > now.Add(RenewBefore).LocalDateTime && certificate.MatchesHostname(hostname);
    }

    private static void Write(string path, string pem)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var file = new FileStream(path + ".new", options))
            file.Write(Encoding.ASCII.GetBytes(pem + "\n"));
        File.Move(path + ".new", path, overwrite: true);
    }
}
