using System.Net;
using System.Net.Sockets;
using EventMail.Protocols.Smtp.Client;
using EventMail.Testing;

namespace EventMail.Protocols.Tests.Smtp.Client;

/// <summary>Where connections go to and come from, and names that the DNS may hold.</summary>
public sealed class ClientAddressTests
{
    [Fact]
    public async Task IPv6_is_as_good_as_IPv4()
    {
        await using var peer = new ScriptedPeer(IPAddress.IPv6Loopback, "PIPELINING");
        await using var client = await ClientTesting.ConnectAsync(peer.Host);
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        client.Host.Address.AddressFamily.ShouldBe(AddressFamily.InterNetworkV6);
    }

    [Fact]
    public async Task A_connection_comes_from_the_source_address()
    {
        await using var peer = new ScriptedPeer("PIPELINING");
        await using var client = await ClientTesting.ConnectAsync(peer.Host, ClientTesting.Options with { SourceAddress = IPAddress.Parse("127.0.0.2") });
        peer.Clients.ShouldHaveSingleItem().ShouldBe(IPAddress.Parse("127.0.0.2"));
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("::1")]
    public async Task A_source_address_that_is_not_ours_is_a_fault_to_try_again(string source)
    {
        await using var peer = new ScriptedPeer();
        var fault = await ClientTesting.FailAsync(peer.Host, ClientTesting.Options with { SourceAddress = IPAddress.Parse(source) });
        (fault.Stage, fault.Enhanced, fault.Permanent).ShouldBe(("connect", "4.4.1", false));
    }

    [Theory]
    [InlineData("[127.0.0.1]")]
    [InlineData("[IPv6:::1]")]
    [InlineData("mx_1.example")]
    [InlineData("-mx-.example")]
    [InlineData("mx..example")]
    [InlineData("mx example\u0001.")]
    [InlineData("xn--.example")]
    [InlineData("")]
    [InlineData("a23456789012345678901234567890123456789012345678901234567890123456789.example")]
    public async Task No_name_of_a_host_breaks_the_handshake(string name)
    {
        await using var peer = new ScriptedPeer("STARTTLS") { Certificate = TestCertificate.Certificate };
        await using var client = await ClientTesting.ConnectAsync(peer.Host with { Name = name }, ClientTesting.Options with
        {
            Tls = new() { TrustAnchors = [TestCertificate.Certificate] },
        });
        (await client.SendAsync(ClientTesting.Small())).Only().Outcome.ShouldBe(SendOutcome.Delivered);
        // The certificate is for this address, too; a name that is none costs TLS, never the message.
        if (name == "[127.0.0.1]")
        {
            client.Tls.ShouldNotBeNull().Verified.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task A_check_that_fails_is_a_refusal()
    {
        await using var peer = new ScriptedPeer("STARTTLS") { Certificate = TestCertificate.Certificate };
        var fault = await ClientTesting.FailAsync(peer.Host, ClientTesting.Options with
        {
            Tls = new() { Requirement = TlsRequirement.Verified, Check = (_, _) => throw new System.Security.Cryptography.CryptographicException("odd") },
        });
        fault.ShouldBe(new("starttls", 0, "4.7.5", "TLS failed: the certificate cannot be read: odd", false));
    }

    [Fact]
    public async Task A_client_may_be_closed_twice()
    {
        await using var peer = new ScriptedPeer("STARTTLS") { Certificate = TestCertificate.Certificate };
        var client = await ClientTesting.ConnectAsync(peer.Host);
        await client.DisposeAsync();
        await client.QuitAsync();
        await client.DisposeAsync();
        client.CanReuse.ShouldBeFalse();
        await Should.ThrowAsync<InvalidOperationException>(() => client.SendAsync(ClientTesting.Small()));
    }
}
