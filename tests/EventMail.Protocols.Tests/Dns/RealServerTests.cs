using System.Net;
using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Dns;

/// <summary>The resolver against unbound, with zones of the test's own.</summary>
public sealed class RealServerTests
{
    private const string Zone =
        """
        @       MX 10 mx1
        @       MX 5 Mail.Example.TEST.
        @       TXT "v=spf1 " "-all"
        mx1     A 192.0.2.1
        mx1     A 192.0.2.2
        mx1     AAAA 2001:db8::1
        null    MX 0 .
        www     CNAME web
        web     CNAME far.other.test.
        lost    CNAME nowhere.other.test.
        _imaps._tcp SRV 1 2 993 mail
        loop    CNAME pool
        pool    CNAME loop
        _25._tcp.mx1 TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        """;

    private static readonly DnsZone[] Zones =
    [
        new("example.test", Zone),
        new("other.test", "far A 192.0.2.9\nbig TXT " + string.Join(' ', Enumerable.Repeat($"\"{new string('x', 250)}\"", 40))),
        new("2.0.192.in-addr.arpa", "1 PTR mx1.example.test."),
        DnsZone.Failing("broken.test"),
    ];

    [DnsFact]
    public async Task Every_type_is_read()
    {
        await using var server = await DnsServer.StartAsync(Zones);
        using var resolver = Resolver(server);

        (await Ask(resolver, "example.test", DnsType.Mx)).Of<MxRecord>().OrderBy(mx => mx.Preference)
            .ShouldBe([new(5, "mail.example.test"), new(10, "mx1.example.test")]);
        (await Ask(resolver, "null.example.test", DnsType.Mx)).Of<MxRecord>().ShouldBe([new(0, "")]);
        (await Ask(resolver, "mx1.example.test", DnsType.A)).Of<AddressRecord>().Select(record => $"{record.Address}").Order()
            .ShouldBe(["192.0.2.1", "192.0.2.2"]);
        (await Ask(resolver, "MX1.Example.Test.", DnsType.Aaaa)).Of<AddressRecord>().Single().Address.ShouldBe(IPAddress.Parse("2001:db8::1"));
        Encoding.ASCII.GetString((await Ask(resolver, "example.test", DnsType.Txt)).Of<TxtRecord>().Single().Text.Span).ShouldBe("v=spf1 -all");
        (await Ask(resolver, ReverseName.Of(IPAddress.Parse("192.0.2.1")), DnsType.Ptr)).Of<NameRecord>().Single().Name.ShouldBe("mx1.example.test");
        (await Ask(resolver, "www.example.test", DnsType.Cname)).Of<NameRecord>().Single().Name.ShouldBe("web.example.test");
        (await Ask(resolver, "_imaps._tcp.example.test", DnsType.Srv)).Of<SrvRecord>().ShouldBe([new(1, 2, 993, "mail.example.test")]);
        var tlsa = (await Ask(resolver, "_25._tcp.mx1.example.test", DnsType.Tlsa)).Of<TlsaRecord>().Single();
        (tlsa.Usage, tlsa.Selector, tlsa.Matching, tlsa.Data.Length).ShouldBe(((byte)3, (byte)1, (byte)1, 32));
    }

    [DnsFact]
    public async Task Aliases_are_followed_to_where_they_lead()
    {
        await using var server = await DnsServer.StartAsync(Zones);
        using var resolver = Resolver(server);

        var found = await Ask(resolver, "www.example.test", DnsType.A);
        (found.Status, found.Name).ShouldBe((DnsStatus.Found, "far.other.test"));
        var lost = await Ask(resolver, "lost.example.test", DnsType.A);
        (lost.Status, lost.Name).ShouldBe((DnsStatus.NoName, "nowhere.other.test"));
        (await Ask(resolver, "loop.example.test", DnsType.A)).Status.ShouldBe(DnsStatus.Failed);
    }

    [DnsFact]
    public async Task What_is_not_there_and_what_fails_are_told_apart()
    {
        await using var server = await DnsServer.StartAsync(Zones);
        using var resolver = Resolver(server);

        (await Ask(resolver, "mx1.example.test", DnsType.Mx)).Status.ShouldBe(DnsStatus.NoData);
        (await Ask(resolver, "missing.example.test", DnsType.A)).Status.ShouldBe(DnsStatus.NoName);
        (await Ask(resolver, "example.org", DnsType.A)).Status.ShouldBe(DnsStatus.NoName);
        var failed = await Ask(resolver, "broken.test", DnsType.Mx);
        failed.Status.ShouldBe(DnsStatus.Failed);
        failed.Detail!.ShouldStartWith($"SERVFAIL from {server.EndPoint}");
    }

    [DnsFact]
    public async Task A_long_text_comes_by_TCP()
    {
        await using var server = await DnsServer.StartAsync(Zones);
        using var resolver = Resolver(server);

        (await Ask(resolver, "big.other.test", DnsType.Txt)).Of<TxtRecord>().Single().Text.Length.ShouldBe(10_000);
    }

    [DnsFact]
    public async Task A_changed_zone_is_seen_once_the_old_answer_is_over()
    {
        await using var server = await DnsServer.StartAsync("example.test", "a 1 A 192.0.2.1");
        using var resolver = Resolver(server);
        (await Ask(resolver, "a.example.test", DnsType.A)).Of<AddressRecord>().Single().Address.ShouldBe(IPAddress.Parse("192.0.2.1"));

        await server.ReplaceAsync(new DnsZone("example.test", "a A 192.0.2.2"));
        using var fresh = Resolver(server);
        (await Ask(fresh, "a.example.test", DnsType.A)).Of<AddressRecord>().Single().Address.ShouldBe(IPAddress.Parse("192.0.2.2"));
    }

    [SignedDnsFact]
    public async Task A_validated_answer_is_authentic_a_forged_one_fails_and_an_unsigned_one_is_neither()
    {
        await using var server = await DnsServer.StartAsync(
            new DnsZone("signed.test", "@ A 192.0.2.1\nwww CNAME @\nout CNAME a.plain.test.") { IsSigned = true },
            new DnsZone("forged.test", "@ A 192.0.2.1") { IsSigned = true, Tamper = text => text.Replace("192.0.2.1", "192.0.2.66") },
            new DnsZone("plain.test", "a A 192.0.2.1"));
        using var resolver = Resolver(server);

        (await Ask(resolver, "signed.test", DnsType.A)).IsAuthentic.ShouldBeTrue();
        (await Ask(resolver, "www.signed.test", DnsType.A)).IsAuthentic.ShouldBeTrue();
        var missing = await Ask(resolver, "missing.signed.test", DnsType.A);
        (missing.Status, missing.IsAuthentic).ShouldBe((DnsStatus.NoName, true));
        var none = await Ask(resolver, "signed.test", DnsType.Mx);
        (none.Status, none.IsAuthentic).ShouldBe((DnsStatus.NoData, true));
        // One link of the chain that is not validated makes all of it so.
        var mixed = await Ask(resolver, "out.signed.test", DnsType.A);
        (mixed.Status, mixed.IsAuthentic).ShouldBe((DnsStatus.Found, false));
        (await Ask(resolver, "a.plain.test", DnsType.A)).IsAuthentic.ShouldBeFalse();
        var forged = await Ask(resolver, "forged.test", DnsType.A);
        forged.Status.ShouldBe(DnsStatus.Failed);
        forged.Detail!.ShouldContain("DNSSEC bogus");

        using var careful = Resolver(server, new() { TrustAd = TrustAd.Never });
        (await Ask(careful, "signed.test", DnsType.A)).IsAuthentic.ShouldBeFalse();
    }

    private static DnsResolver Resolver(DnsServer server, DnsResolverOptions? options = null) =>
        new((options ?? new()) with { Servers = [server.EndPoint] }, TimeProvider.System, NullLogger.Instance);

    private static async Task<DnsAnswer> Ask(DnsResolver resolver, string name, DnsType type) =>
        await resolver.QueryAsync(name, type, CancellationToken.None);
}
