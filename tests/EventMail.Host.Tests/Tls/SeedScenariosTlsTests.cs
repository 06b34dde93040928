using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EventMail.Host.Configuration;
using EventMail.Host.Tls;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Tls;

/// <summary>T-003 and T-004 by handshakes: TLS 1.2 and 1.3 with forward secrecy and authenticated encryption, nothing older.</summary>
public sealed class SeedScenariosTlsTests : IAsyncLifetime
{
    private const string Host = "mail.example.org";
    private const string RsaHost = "rsa.example.org";

    private readonly string _folder = Directory.CreateTempSubdirectory("eventmail-tls-").FullName;
    private TestListener? _listener;

    public async Task InitializeAsync()
    {
        var certificates = ServerCertificates.Open(
            new()
            {
                Data = _folder,
                Hostname = Host,
                Tls = new() { Hosts = new Dictionary<string, CertificateFiles> { [RsaHost] = MakeRsa() } },
            },
            NullLogger.Instance);
        _listener = await TestListener.StartAsync(ServeAsync, certificates.ServerTls, "imaps");

        static async Task ServeAsync(MailConnection connection)
        {
            try
            {
                await connection.AcceptTlsAsync(default);
            }
            catch (Exception e) when (e is IOException or AuthenticationException)
            {
                // What these tests are about: the client is refused.
                return;
            }

            connection.Output.Write("hello\r\n"u8);
            await connection.FlushAsync();
            await connection.ReadLineAsync(new(), 100, Waiting.Limit);
        }
    }

    public async Task DisposeAsync()
    {
        await _listener!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task T003_Tls_1_2_and_1_3_are_spoken(SslProtocols version)
    {
        await using var ssl = await ConnectAsync(version, null);
        ssl.SslProtocol.ShouldBe(version);
    }

    // By hellos of our own: OpenSSL as a client may refuse the old versions before the server is asked.
    [Theory]
    [InlineData(ClientHello.Tls10, false)]
    [InlineData(ClientHello.Tls11, false)]
    [InlineData(ClientHello.Tls12, true)] // the same hello but for its version
    public async Task T003_Older_versions_are_refused(ushort version, bool spoken)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(System.Net.IPAddress.Loopback, _listener!.Port);
        var stream = socket.GetStream();
        await stream.WriteAsync(ClientHello.Of(version));
        var answer = new byte[7];
        using var patience = new CancellationTokenSource(Waiting.Limit);
        await stream.ReadExactlyAsync(answer, patience.Token);
        if (spoken)
        {
            // A handshake record with a ServerHello.
            (answer[0], answer[5]).ShouldBe(((byte)22, (byte)2));
        }
        else
        {
            // RFC 5246 §7.2.2: the fatal alert protocol_version.
            (answer[0], answer[5], answer[6]).ShouldBe(((byte)21, (byte)2, (byte)70));
        }
    }

    [Theory]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)]
    [InlineData(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, SslProtocols.Tls13)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, SslProtocols.Tls12, RsaHost)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, SslProtocols.Tls12, RsaHost)]
    public async Task T004_The_suites_of_the_requirements_are_offered(
        TlsCipherSuite suite, SslProtocols version = SslProtocols.Tls12, string host = Host)
    {
        await using var ssl = await ConnectAsync(version, suite, host);
        ssl.NegotiatedCipherSuite.ShouldBe(suite);
        (await ssl.ReadAsync(new byte[7])).ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, RsaHost)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, RsaHost)]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA, RsaHost)]
    public Task T004_Suites_without_authenticated_encryption_are_refused_before_anything_is_said(TlsCipherSuite suite, string host = Host) =>
        ShouldRefuseAsync(suite, host);

    [Theory]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_128_GCM_SHA256)]
    [InlineData(TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384)]
    public Task T004_Suites_without_forward_secrecy_are_refused_before_anything_is_said(TlsCipherSuite suite) => ShouldRefuseAsync(suite, RsaHost);

    private async Task ShouldRefuseAsync(TlsCipherSuite suite, string host)
    {
        try
        {
            await using var ssl = await ConnectAsync(SslProtocols.Tls12, suite, host);
            (await ssl.ReadAsync(new byte[7])).ShouldBe(0);
        }
        catch (Exception e)
        {
            e.ShouldBeARefusal();
        }
    }

    private CertificateFiles MakeRsa()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest($"CN={RsaHost}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var files = new CertificateFiles { Certificate = Path.Combine(_folder, "rsa.pem"), Key = Path.Combine(_folder, "rsa.key") };
        File.WriteAllText(files.Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(files.Key, key.ExportPkcs8PrivateKeyPem());
        return files;
    }

    private async Task<SslStream> ConnectAsync(SslProtocols version, TlsCipherSuite? suite, string host = Host)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(System.Net.IPAddress.Loopback, _listener!.Port);
        var ssl = new SslStream(socket.GetStream());
        try
        {
            await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = host,
                EnabledSslProtocols = version,
                CipherSuitesPolicy = suite is { } only ? new([only]) : null,
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
            });
            return ssl;
        }
        catch
        {
            await ssl.DisposeAsync();
            throw;
        }
    }
}

file static class Refusals
{
    /// <summary>The handshake failed, in one of the ways in which that is told.</summary>
    public static void ShouldBeARefusal(this Exception e) => (e is AuthenticationException or IOException).ShouldBeTrue(e.ToString());
}
