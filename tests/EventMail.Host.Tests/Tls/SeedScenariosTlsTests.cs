using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using EventMail.Host.Configuration;
using EventMail.Host.Tls;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Tls;

/// <summary>T-003 and T-004 by handshakes: TLS 1.2 and 1.3 with forward secrecy and authenticated encryption, nothing older.</summary>
public sealed class SeedScenariosTlsTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("eventmail-tls-").FullName;
    private TestListener? _listener;

    public async Task InitializeAsync()
    {
        var certificates = ServerCertificates.Open(new() { Data = _folder, Hostname = "mail.example.org", Tls = new() }, NullLogger.Instance);
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
            await connection.ReadLineAsync(new(), 100, TimeSpan.FromSeconds(20));
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

    [Theory]
#pragma warning disable SYSLIB0039 // They are tried because they are obsolete.
    [InlineData(SslProtocols.Tls)]
    [InlineData(SslProtocols.Tls11)]
#pragma warning restore SYSLIB0039
    public async Task T003_Older_versions_are_refused(SslProtocols version) =>
        (await Should.ThrowAsync<Exception>(() => ConnectAsync(version, null))).ShouldBeARefusal();

    [Theory]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)]
    [InlineData(TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256, SslProtocols.Tls13)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)]
    public async Task T004_The_suites_of_the_requirements_are_offered(TlsCipherSuite suite, SslProtocols version = SslProtocols.Tls12)
    {
        await using var ssl = await ConnectAsync(version, suite);
        ssl.NegotiatedCipherSuite.ShouldBe(suite);
        (await ssl.ReadAsync(new byte[7])).ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256)]
    [InlineData(TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA)]
    public async Task T004_Suites_without_authenticated_encryption_are_refused_before_anything_is_said(TlsCipherSuite suite)
    {
        try
        {
            await using var ssl = await ConnectAsync(SslProtocols.Tls12, suite);
            (await ssl.ReadAsync(new byte[7])).ShouldBe(0);
        }
        catch (Exception e)
        {
            e.ShouldBeARefusal();
        }
    }

    private async Task<SslStream> ConnectAsync(SslProtocols version, TlsCipherSuite? suite)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(System.Net.IPAddress.Loopback, _listener!.Port);
        var ssl = new SslStream(socket.GetStream());
        try
        {
            await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "mail.example.org",
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
