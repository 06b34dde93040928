using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EventMail.Protocols.Dns;
using EventMail.Protocols.Tests.Dns;
using EventMail.Protocols.TransportSecurity;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.TransportSecurity;

/// <summary>TLSA records of signed zones, validated by a real resolver (RFC 7672 §2).</summary>
public sealed class DaneRecordsTests
{
    private const int Port = 25;

    private static readonly X509Certificate2 Server = TestAuthority.SelfSigned("mx.signed.test");

    private static readonly string Zone =
        $"""
        @            MX 10 mx
        mx           A 192.0.2.1
        _25._tcp.mx  TLSA 3 1 1 {Hex(3, 1, 1)}
        bare         A 192.0.2.1
        odd          A 192.0.2.1
        _25._tcp.odd TLSA 0 0 1 {Hex(3, 0, 1)}
        alias        CNAME mx
        anchor       A 192.0.2.1
        _25._tcp.anchor TLSA 2 1 1 {Hex(2, 1, 1)}
        behind       CNAME anchor
        both         CNAME bare
        _25._tcp.both TLSA 3 0 1 {Hex(3, 0, 1)}
        away         CNAME host.plain.test.
        _25._tcp.away TLSA 3 1 1 {Hex(3, 1, 1)}
        lame         A 192.0.2.1
        _25._tcp.lame CNAME nothing.broken.test.
        moved        A 192.0.2.1
        _25._tcp.moved CNAME _25._tcp.mx
        loose        A 192.0.2.1
        _25._tcp.loose CNAME tlsa.plain.test.
        """;

    private static readonly DnsZone[] Zones =
    [
        new("signed.test", Zone) { IsSigned = true },
        new("plain.test", $"host A 192.0.2.2\n_25._tcp.host TLSA 3 1 1 {Hex(3, 1, 1)}\ntlsa TLSA 3 1 1 {Hex(3, 1, 1)}"),
        // The TLSA record is another than the signed one.
        new("forged.test", $"mx A 192.0.2.1\n_25._tcp.mx TLSA 3 1 1 {Hex(3, 1, 1)}")
        {
            IsSigned = true,
            Tamper = text => text.Replace(Hex(3, 1, 1)[..56], Hex(3, 1, 2)[..56], StringComparison.OrdinalIgnoreCase),
        },
        DnsZone.Failing("broken.test"),
    ];

    [SignedDnsFact]
    public async Task What_is_demanded_depends_on_what_was_validated()
    {
        await using var server = await DnsServer.StartAsync(Zones);
        using var resolver = new DnsResolver(new() { Servers = [server.EndPoint] }, TimeProvider.System, NullLogger.Instance);
        var dane = new DaneRecords(resolver);

        var found = await Ask(dane, "MX.Signed.Test.");
        (found.Status, found.ServerName).ShouldBe((DaneStatus.Authenticated, "mx.signed.test"));
        found.Names.ShouldBeEmpty(); // §3.2.1
        found.Records.Single().Usage.ShouldBe((byte)3);

        (await dane.ForAsync("next.test", "next.test", "mx.signed.test", Port, isMxAuthentic: false, CancellationToken.None)).Status.ShouldBe(DaneStatus.None);
        (await Ask(dane, "bare.signed.test")).Status.ShouldBe(DaneStatus.None);
        (await Ask(dane, "missing.signed.test")).Status.ShouldBe(DaneStatus.None);
        (await Ask(dane, "host.plain.test")).Status.ShouldBe(DaneStatus.None); // records, but not validated
        (await Ask(dane, "loose.signed.test")).Status.ShouldBe(DaneStatus.None); // an alias into an unsigned zone
        (await Ask(dane, "odd.signed.test")).Status.ShouldBe(DaneStatus.Encrypted);
        (await Ask(dane, "lame.signed.test")).Status.ShouldBe(DaneStatus.Failed);
        (await Ask(dane, "broken.test")).Status.ShouldBe(DaneStatus.Failed);
        var forged = await Ask(dane, "mx.forged.test");
        forged.Status.ShouldBe(DaneStatus.Failed);
        forged.Detail!.ShouldStartWith("TLSA _25._tcp.mx.forged.test: SERVFAIL");

        // §2.2.2: where an alias leads to first, then the alias itself; of one that leads out of what is validated, only itself.
        (await Ask(dane, "alias.signed.test")).ShouldSatisfyAllConditions(
            answer => answer.Status.ShouldBe(DaneStatus.Authenticated),
            answer => answer.ServerName.ShouldBe("mx.signed.test"));
        (await Ask(dane, "both.signed.test")).ServerName.ShouldBe("both.signed.test");
        (await Ask(dane, "away.signed.test")).ServerName.ShouldBe("away.signed.test");
        (await Ask(dane, "moved.signed.test")).Status.ShouldBe(DaneStatus.Authenticated);

        // §3.2.2: the TLSA base domain, the next hop and what it is an alias of.
        (await Ask(dane, "anchor.signed.test")).Names.ShouldBe(["anchor.signed.test", "next.test", "end.test"]);
        (await Ask(dane, "behind.signed.test")).Names.ShouldBe(["anchor.signed.test", "behind.signed.test", "next.test", "end.test"]);
    }

    [Fact]
    public async Task The_callback_judges_what_a_TLS_server_presents()
    {
        var authority = new TestAuthority();
        var certificate = authority.Server("mx.example.test");
        var anchored = Answer(TestAuthority.Tlsa(2, 1, 1, authority.Intermediate));
        (await HandshakeAsync(certificate, [authority.Intermediate], anchored)).ShouldBeTrue();
        (await HandshakeAsync(certificate, [], anchored)).ShouldBeFalse();
        (await HandshakeAsync(authority.Server("other.test"), [authority.Intermediate], anchored)).ShouldBeFalse();
        (await HandshakeAsync(Server, [], Answer(TestAuthority.Tlsa(3, 1, 1, Server)))).ShouldBeTrue();
        (await HandshakeAsync(Server, [], Answer(TestAuthority.Tlsa(3, 1, 1, certificate)))).ShouldBeFalse();
        (await HandshakeAsync(Server, [], new(DaneStatus.Encrypted, [], "mx.example.test", [], null))).ShouldBeTrue();
        (await HandshakeAsync(Server, [], new(DaneStatus.Failed, [], "mx.example.test", [], "why"))).ShouldBeFalse();
    }

    private static DaneAnswer Answer(TlsaRecord record) => new(DaneStatus.Authenticated, [record], "mx.example.test", ["mx.example.test"], null);

    private static async Task<bool> HandshakeAsync(X509Certificate2 certificate, X509Certificate2[] chain, DaneAnswer answer)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        var connecting = client.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        using var peer = await listener.AcceptTcpClientAsync().InTime();
        await connecting.InTime();
        using var theirs = new SslStream(peer.GetStream());
        using var ours = new SslStream(client.GetStream());
        var serving = theirs.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate, [.. chain], offline: true),
        });
        try
        {
            await ours.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = answer.ServerName,
                RemoteCertificateValidationCallback = (_, shown, built, _) =>
                    answer.Refusal((X509Certificate2)shown!, built!.ChainPolicy.ExtraStore) is null,
            });
            await serving.InTime();
            return true;
        }
        catch (System.Security.Authentication.AuthenticationException)
        {
            client.Close();
            await Task.WhenAny(serving).InTime(); // with TLS 1.3 it has ended well already
            return false;
        }
    }

    private static Task<DaneAnswer> Ask(DaneRecords dane, string host) =>
        dane.ForAsync("next.test", "end.test", host, Port, isMxAuthentic: true, CancellationToken.None).AsTask();

    private static string Hex(byte usage, byte selector, byte matching) => Convert.ToHexString(TestAuthority.Tlsa(usage, selector, matching, Server).Data.Span);
}
