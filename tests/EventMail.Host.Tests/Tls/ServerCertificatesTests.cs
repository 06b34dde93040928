using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMail.Host.Configuration;
using EventMail.Host.Tls;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Tls;

public sealed class ServerCertificatesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("eventmail-tls-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ServerCertificates Open(TlsSettings? tls = null, string hostname = "mail.example.org") =>
        ServerCertificates.Open(new() { Data = _folder, Hostname = hostname, Tls = tls ?? new() }, NullLogger.Instance);

    private CertificateFiles Make(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var files = new CertificateFiles { Certificate = Path.Combine(_folder, name + ".pem"), Key = Path.Combine(_folder, name + ".key") };
        File.WriteAllText(files.Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(files.Key, key.ExportPkcs8PrivateKeyPem());
        return files;
    }

    private static string Subject(SslServerAuthenticationOptions options) => options.ServerCertificateContext!.TargetCertificate.Subject;

    [Fact]
    public void The_first_start_makes_a_self_signed_certificate_for_the_host_and_for_loopback()
    {
        var certificate = Open().Select("").ServerCertificateContext!.TargetCertificate;
        certificate.MatchesHostname("mail.example.org").ShouldBeTrue();
        certificate.MatchesHostname("localhost").ShouldBeTrue();
        certificate.MatchesHostname("127.0.0.1").ShouldBeTrue();
        certificate.MatchesHostname("::1").ShouldBeTrue();
        certificate.GetECDsaPublicKey()!.KeySize.ShouldBe(256);
        File.GetUnixFileMode(Path.Combine(_folder, "tls", "self-signed.key")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void The_self_signed_certificate_stays_until_the_host_has_another_name()
    {
        var first = Open().Select("").ServerCertificateContext!.TargetCertificate.Thumbprint;
        Open().Select("").ServerCertificateContext!.TargetCertificate.Thumbprint.ShouldBe(first);
        Open(hostname: "other.example.org").Select("").ServerCertificateContext!.TargetCertificate.Thumbprint.ShouldNotBe(first);
    }

    [Fact]
    public void Only_tls_1_2_and_1_3_are_spoken() =>
        Open().Select("").EnabledSslProtocols.ShouldBe(SslProtocols.Tls12 | SslProtocols.Tls13);

    [Fact]
    public void T002_The_name_that_the_client_asks_for_chooses_the_certificate()
    {
        var byDefault = Make("default");
        var certificates = Open(new()
        {
            Certificate = byDefault.Certificate,
            Key = byDefault.Key,
            Hosts = new Dictionary<string, CertificateFiles> { ["mail.example.org"] = Make("exact"), ["*.example.net"] = Make("wildcard") },
        });
        Subject(certificates.Select("MAIL.example.org")).ShouldBe("CN=exact");
        Subject(certificates.Select("imap.example.net")).ShouldBe("CN=wildcard");
        Subject(certificates.Select("a.imap.example.net")).ShouldBe("CN=default");
        Subject(certificates.Select("elsewhere.org")).ShouldBe("CN=default");
        Subject(certificates.Select("")).ShouldBe("CN=default");
    }

    [Theory]
    [InlineData("mail.example.org", "CN=exact")]
    [InlineData("imap.example.net", "CN=wildcard")]
    [InlineData("elsewhere.org", "CN=default")]
    [InlineData("", "CN=default")]
    public async Task T002_The_handshake_shows_the_certificate_of_the_name_that_the_client_asks_for(string host, string subject)
    {
        var byDefault = Make("default");
        var certificates = Open(new()
        {
            Certificate = byDefault.Certificate,
            Key = byDefault.Key,
            Hosts = new Dictionary<string, CertificateFiles> { ["mail.example.org"] = Make("exact"), ["*.example.net"] = Make("wildcard") },
        });
        await using var listener = await TestListener.StartAsync(
            async connection =>
            {
                await connection.AcceptTlsAsync(default);
                await connection.ReadLineAsync(new(), 100, Waiting.Limit);
            },
            certificates.ServerTls, "imaps");
        await using var client = await listener.ConnectAsync();
        await client.StartTlsAsync(host);
        client.Tls!.RemoteCertificate!.Subject.ShouldBe(subject);
    }

    [Fact]
    public async Task A_certificate_that_changes_is_used_without_a_restart_and_a_broken_one_is_not()
    {
        var files = Make("one");
        var certificates = Open(new() { Certificate = files.Certificate, Key = files.Key });
        Subject(certificates.Select("")).ShouldBe("CN=one");

        File.WriteAllText(files.Certificate, "broken");
        await Task.Delay(1100);
        Subject(certificates.Select("")).ShouldBe("CN=one");

        var other = Make("two");
        File.Copy(other.Key, files.Key, overwrite: true);
        File.Copy(other.Certificate, files.Certificate, overwrite: true);
        await Waiting.UntilAsync(() => Subject(certificates.Select("")) == "CN=two");
    }

    [Fact]
    public void A_certificate_that_cannot_be_used_is_a_fault_of_the_settings() =>
        Should.Throw<SettingsException>(() => Open(new() { Certificate = "/nowhere.pem" })).Message.ShouldContain("/nowhere.pem");
}
