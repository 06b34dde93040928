using System.Security.Cryptography;
using EventMail.Domain.Deliveries;
using EventMail.Protocols.Dns;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Delivery;

/// <summary>DANE from a signed zone to the handshake, with a resolver that validates (RFC 7672).</summary>
public sealed class DaneDeliveryTests
{
    [SignedDnsFact]
    public async Task The_certificate_that_the_zone_names_is_taken_and_any_other_is_not()
    {
        await using var world = await DeliveryWorld.StartAsync();
        var right = Convert.ToHexString(SHA256.HashData(TestCertificate.Certificate.PublicKey.ExportSubjectPublicKeyInfo()));
        var wrong = new string('0', 64);
        var port = world.Settings.Port;
        await using var dns = await DnsServer.StartAsync(
            new DnsZone("right.test", $"@ MX 10 mx\nmx A 127.20.0.1\n_{port}._tcp.mx TLSA 3 1 1 {right}") { IsSigned = true },
            new DnsZone("wrong.test", $"@ MX 10 mx\nmx A 127.20.0.2\n_{port}._tcp.mx TLSA 3 1 1 {wrong}") { IsSigned = true },
            new DnsZone("plain.test", $"@ MX 10 mx\nmx A 127.20.0.3\n_{port}._tcp.mx TLSA 3 1 1 {right}") { IsSigned = true },
            new DnsZone("lost.test", "@ MX 10 mx\nmx A 127.20.0.4") { IsSigned = true },
            DnsZone.Failing($"_{port}._tcp.mx.lost.test"));
        using var resolver = new DnsResolver(new() { Servers = [dns.EndPoint] }, TimeProvider.System, NullLogger.Instance);
        world.Dns = resolver;
        var withTls = new SinkScript { Certificate = TestCertificate.Certificate };
        var sinks = new[] { world.Sink("127.20.0.1", withTls), world.Sink("127.20.0.2", withTls), world.Sink("127.20.0.3", new()), world.Sink("127.20.0.4", withTls) };
        world.Deliver();

        var delivered = await world.SubmitAsync("a@right.test");
        await world.WaitForAsync<RecipientDelivered>(delivered);
        var tls = (await world.EventsAsync(delivered)).OfType<DeliveryAttempted>().ShouldHaveSingleItem().Tls.ShouldNotBeNull();
        (tls.Policy, tls.Verified).ShouldBe(("dane", true));

        var deferred = (await world.WaitForAsync<DeliveryDeferred>(await world.SubmitAsync("a@wrong.test")))[0];
        deferred.Enhanced.ShouldBe("4.7.5", deferred.Text);
        deferred = (await world.WaitForAsync<DeliveryDeferred>(await world.SubmitAsync("a@plain.test")))[0];
        deferred.Enhanced.ShouldBe("4.7.10", deferred.Text);
        await world.WaitForAsync<DeliveryDeferred>(await world.SubmitAsync("a@lost.test"));
        sinks.Select(sink => sink.Messages.Count).ShouldBe([1, 0, 0, 0]);
    }

    [SignedDnsFact]
    public async Task A_certificate_for_one_domain_of_a_host_opens_no_connection_for_another()
    {
        await using var world = await DeliveryWorld.StartAsync();
        var authority = new TestAuthority();
        var anchor = Convert.ToHexString(authority.Intermediate.RawData);
        await using var dns = await DnsServer.StartAsync(
            new DnsZone("host.test", $"mx A 127.20.0.5\n_{world.Settings.Port}._tcp.mx TLSA 2 0 0 {anchor}") { IsSigned = true },
            new DnsZone("first.test", "@ MX 10 mx.host.test.\nalias CNAME first.test.") { IsSigned = true },
            new DnsZone("second.test", "@ MX 10 mx.host.test.") { IsSigned = true });
        using var resolver = new DnsResolver(new() { Servers = [dns.EndPoint] }, TimeProvider.System, NullLogger.Instance);
        world.Dns = resolver;
        var sink = world.Sink("127.20.0.5", new() { Certificate = authority.Server("first.test") });
        world.Deliver();

        // RFC 7672 §3.2.2: the next hop's name, and what it is an alias of, are names of its hosts; of no others.
        await world.WaitForAsync<RecipientDelivered>(await world.SubmitAsync("a@first.test"));
        await world.WaitForAsync<RecipientDelivered>(await world.SubmitAsync("a@alias.first.test"));
        var deferred = (await world.WaitForAsync<DeliveryDeferred>(await world.SubmitAsync("a@second.test")))[0];
        deferred.Enhanced.ShouldBe("4.7.5", deferred.Text);
        sink.Messages.Count.ShouldBe(2);
    }
}
