using System.Net;
using EventMail.Host.Configuration;
using EventMail.Host.Delivery.Routing;

namespace EventMail.Host.Tests.Delivery;

public sealed class RouterTests
{
    private const string OwnName = "mail.example.test";
    private static readonly IPAddress OwnAddress = IPAddress.Parse("203.0.113.9");
    private static readonly IPAddress Published = IPAddress.Parse("198.51.100.9");

    // Each line: the domain, the DNS ("; " between records), what comes out: hosts in order, or enhanced code and a word of the text.
    [Theory]
    [InlineData("a.test", "a.test MX 20 b; a.test MX 10 m; b A 192.0.2.2; m A 192.0.2.1", "m=192.0.2.1 b=192.0.2.2")]
    [InlineData("a.test", "a.test A 192.0.2.1", "a.test=192.0.2.1")]
    [InlineData("a.test", "a.test AAAA 2001:db8::1; a.test A 192.0.2.1", "a.test=2001:db8::1,192.0.2.1")]
    [InlineData("a.test", "a.test MX 0 .; a.test A 192.0.2.1", "5.1.10 null MX")]
    [InlineData("a.test", "a.test MX 0 .; a.test MX 10 m; m A 192.0.2.1", "m=192.0.2.1")]
    [InlineData("a.test", "", "5.1.2 does not exist")]
    [InlineData("a.test", "a.test TXT x", "5.1.2 neither an MX record nor an address")]
    [InlineData("a.test", "a.test SERVFAIL", "4.4.3 MX records of a.test could not be looked up: SERVFAIL")]
    [InlineData("a.test", "a.test MX 10 m; a.test A 192.0.2.1", "5.4.4 none of their hosts has an address")]
    [InlineData("a.test", "a.test MX 10 m; a.test MX 20 b; m SERVFAIL; b TXT x", "4.4.3 addresses of m could not be looked up")]
    [InlineData("a.test", "a.test MX 10 m; m A 192.0.2.1; m AAAA SERVFAIL", "m=192.0.2.1")]
    [InlineData("a.test", "a.test MX 10 m; m AAAA SERVFAIL", "4.4.3 addresses of m")]
    [InlineData("a.test", "a.test MX 10 m; a.test MX 20 b; m SERVFAIL; b A 192.0.2.2", "b=192.0.2.2 …")]
    // RFC 5321 §5.1: ourselves, and no host that is not better.
    [InlineData("a.test", "a.test MX 10 m; a.test MX 20 Mail.Example.Test; a.test MX 20 c; a.test MX 30 d; m A 192.0.2.1; c A 192.0.2.3; d A 192.0.2.4", "m=192.0.2.1")]
    [InlineData("a.test", "a.test MX 10 mail.example.test; a.test MX 20 b; b A 192.0.2.2", "5.4.6 this server's name")]
    [InlineData("a.test", "a.test MX 10 m; m A 203.0.113.9", "5.4.6 203.0.113.9 is this server's")]
    [InlineData("a.test", "a.test MX 10 m; m A 198.51.100.9", "5.4.6 198.51.100.9 is this server's")]
    [InlineData("a.test", "a.test A 203.0.113.9", "5.4.6 loops")]
    [InlineData("a.test", "a.test MX 10 m; a.test MX 20 b; a.test MX 30 c; m A 192.0.2.1; b A 203.0.113.9; c A 192.0.2.3", "m=192.0.2.1")]
    [InlineData("a.test", "a.test MX 10 m; a.test MX 20 b; m SERVFAIL; b A 203.0.113.9", "4.4.3 addresses of m")]
    // Nobody reaches what is behind the firewall of this machine by naming it.
    [InlineData("a.test", "a.test MX 10 m; m A 127.0.0.1", "5.4.4 no mail is sent to, such as 127.0.0.1")]
    [InlineData("a.test", "a.test MX 10 m; m AAAA ::1; m A 0.0.0.0; m AAAA ::ffff:127.0.0.1; m A 169.254.169.254; m A 224.0.0.1; m A 255.255.255.255; m AAAA fe80::1", "5.4.4 no mail is sent to")]
    [InlineData("a.test", "a.test MX 10 m; a.test MX 20 b; m A 127.0.0.1; b A 192.0.2.2", "b=192.0.2.2")]
    [InlineData("a.test", "a.test MX 10 m; m A 10.0.0.1", "5.4.4 no mail is sent to, such as 10.0.0.1")]
    [InlineData("a.test", "a.test MX 10 m; m AAAA fd00::1; m A 192.168.1.1; m A 172.31.0.1; m A 100.64.0.1; m AAAA 64:ff9b::a00:1", "5.4.4 no mail is sent to")]
    [InlineData("[10.0.0.1]", "", "5.4.4 No mail is sent")]
    [InlineData("[IPv6:::ffff:10.0.0.1]", "", "5.4.4 No mail is sent")]
    [InlineData("[192.0.2.7]", "", "[192.0.2.7]=192.0.2.7")]
    [InlineData("[IPv6:2001:db8::7]", "", "[IPv6:2001:db8::7]=2001:db8::7")]
    [InlineData("[127.0.0.1]", "", "5.4.4 No mail is sent")]
    [InlineData("[203.0.113.9]", "", "5.4.6 this server")]
    [InlineData("[0x7f.1]", "", "5.1.3 no address")]
    [InlineData("[IPv6:192.0.2.1]", "", "5.1.3 no address")]
    [InlineData("[IPv6:fe80::1%eth0]", "", "5.1.3 no address")]
    [InlineData("[x400:abc]", "", "5.1.3 no address")]
    public async Task A_domain_is_routed(string domain, string dns, string expected) => Check(await FindAsync(domain, dns), expected);

    [Theory]
    [InlineData("relay.test", "relay.test A 192.0.2.5", "relay.test=192.0.2.5")]
    [InlineData("127.0.0.1", "", "127.0.0.1=127.0.0.1")]
    [InlineData("relay.test", "", "4.4.4 has no address")]
    [InlineData("relay.test", "relay.test SERVFAIL", "4.4.3 could not be looked up")]
    public async Task All_mail_goes_to_the_smarthost_and_none_is_given_up_for_its_faults(string host, string dns, string expected) =>
        Check(await FindAsync("a.test", dns, new() { Smarthost = new() { Host = host } }), expected);

    [Fact]
    public async Task A_smarthost_that_is_one_of_our_listeners_is_not_used()
    {
        var settings = new DeliverySettings { Smarthost = new() { Host = "localhost", Port = 2525 } };
        Check(await FindAsync("a.test", "", settings, new IPEndPoint(IPAddress.IPv6Any, 2525)), "4.3.5 this server itself");
    }

    [Fact]
    public async Task Private_networks_are_delivered_to_where_that_is_allowed_and_loopback_is_not() =>
        Check(await FindAsync("a.test", "a.test MX 10 m; m A 10.0.0.1; m A 127.0.0.1", new() { AllowPrivate = true }), "m=10.0.0.1");

    [Fact]
    public async Task Loopback_is_delivered_to_where_that_is_allowed_but_not_to_our_own_listener()
    {
        var settings = new DeliverySettings { AllowLoopback = true, Port = 2525 };
        const string dns = "a.test MX 10 m; m A 127.0.0.1";
        Check(await FindAsync("a.test", dns, settings, new IPEndPoint(IPAddress.Loopback, 1025)), "m=127.0.0.1");
        Check(await FindAsync("a.test", dns, settings, new IPEndPoint(IPAddress.Any, 2525)), "5.4.6 loops");
    }

    [Fact]
    public void A_domains_own_smarthost_is_preferred_and_none_turns_to_the_DNS()
    {
        var table = new NextHopTable(new()
        {
            Smarthost = new() { Host = "all.test" },
            Smarthosts = new Dictionary<string, SmarthostSettings> { ["One.test"] = new() { Host = "one.test", Port = 25 }, ["two.test"] = new() { Host = "none" } },
        });
        table.For("a.test").Key.ShouldBe("smarthost all.test:587");
        table.For("one.test").Key.ShouldBe("smarthost one.test:25");
        table.For("two.test").ShouldBe(new DomainNextHop("two.test"));
        table.For("[192.0.2.1]").Key.ShouldBe("smarthost all.test:587");
    }

    [Fact]
    public async Task Hosts_of_one_preference_come_in_random_order()
    {
        var firsts = new HashSet<string>();
        for (var i = 0; i < 50; i++)
        {
            firsts.Add((await FindAsync("a.test", "a.test MX 10 m; a.test MX 10 n; a.test MX 20 z; m A 192.0.2.1; n A 192.0.2.2; z A 192.0.2.3")).Hosts[0].Name);
        }

        firsts.Order().ShouldBe(["m", "n"]);
    }

    [Fact]
    public async Task IPv6_and_IPv4_addresses_take_turns_and_IPv6_can_be_off()
    {
        const string dns = "a.test AAAA 2001:db8::1; a.test AAAA 2001:db8::2; a.test AAAA 2001:db8::3; a.test A 192.0.2.1; a.test A 192.0.2.2";
        var route = await FindAsync("a.test", dns);
        string.Concat(route.Hosts[0].Addresses.Select(each => each.Address.ToString().Contains(':') ? '6' : '4')).ShouldBe("64646");
        route = await FindAsync("a.test", dns, new() { IPv6 = false });
        route.Hosts[0].Addresses.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Of_a_long_list_only_the_best_hosts_are_looked_at()
    {
        var dns = string.Join("; ", Enumerable.Range(1, 50).Select(i => $"a.test MX {i} m{i}; m{i} A 192.0.2.{i}"));
        (await FindAsync("a.test", dns, new() { MaxHosts = 3 })).Hosts.Select(host => host.Name).ShouldBe(["m1", "m2", "m3"]);
    }

    [Fact]
    public async Task What_DNSSEC_proves_is_told()
    {
        var dns = new DnsTable("a.test MX 10 m", "m A 192.0.2.1") { IsAuthentic = true };
        var host = (await Of(dns, new(), []).FindAsync(new DomainNextHop("a.test"), CancellationToken.None)).Hosts.ShouldHaveSingleItem();
        (host.MxIsAuthentic, host.AddressesAreAuthentic).ShouldBe((true, true));
        host.Addresses.ShouldBe([new IPEndPoint(IPAddress.Parse("192.0.2.1"), 25)]);
    }

    private static Task<Route> FindAsync(string domain, string dns, DeliverySettings? settings = null, params IPEndPoint[] listeners) =>
        Of(new DnsTable(dns.Split("; ", StringSplitOptions.RemoveEmptyEntries)), settings ??= new(), listeners)
            .FindAsync(new NextHopTable(settings).For(domain), CancellationToken.None);

    private static Router Of(DnsTable dns, DeliverySettings settings, IPEndPoint[] listeners) => new(
        dns, settings, new([OwnName], listeners, new HashSet<IPAddress> { Published }, settings.Reachable(), () => new HashSet<IPAddress> { OwnAddress }),
        Random.Shared);

    private static void Check(Route route, string expected)
    {
        if (route.Fault is { } fault)
        {
            var (code, text) = (expected.Split(' ', 2)[0], expected.Split(' ', 2)[1]);
            fault.Enhanced.ShouldBe(code);
            fault.Text.ShouldContain(text);
            fault.IsPermanent.ShouldBe(code.StartsWith('5'));
            return;
        }

        var hosts = route.Hosts.Select(host => $"{host.Name}={string.Join(',', host.Addresses.Select(each => each.Address))}");
        (string.Join(' ', hosts) + (route.IsIncomplete ? " …" : "")).ShouldBe(expected);
    }
}
