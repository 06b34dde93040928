using System.Net;
using EventMail.Host.Configuration;
using EventMail.Host.Delivery.Attempts;
using EventMail.Host.Delivery.Routing;
using EventMail.Protocols.TransportSecurity;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Delivery;

/// <summary>How much TLS is asked for, rung by rung.</summary>
public sealed class TlsLadderTests
{
    private const string Domain = "a.test";
    private const string Host = "mx.a.test";

    // What MTA-STS says, what the operator says, whether DNSSEC proves the host, whether the message requires TLS; what is asked.
    [Theory]
    [InlineData("", null, false, false, "Opportunistic opportunistic")]
    [InlineData("", TlsPolicy.None, false, false, "None none")]
    [InlineData("", TlsPolicy.Encrypted, false, false, "Encrypted configured")]
    [InlineData("", TlsPolicy.Verified, false, false, "Verified configured")]
    [InlineData("testing mx.a.test", null, false, false, "Opportunistic opportunistic tested")]
    [InlineData("testing mx.a.test", TlsPolicy.Encrypted, false, false, "Encrypted configured tested")]
    [InlineData("enforce mx.a.test", null, false, false, "Verified mta-sts")]
    [InlineData("enforce mx.a.test", TlsPolicy.Encrypted, false, false, "Verified mta-sts")]
    [InlineData("enforce *.b.test", null, false, false, "4.7.5")]
    [InlineData("enforce mx.a.test", TlsPolicy.None, false, false, "None none")]
    [InlineData("", null, false, true, "5.7.10")]
    [InlineData("", null, true, true, "Verified requiretls")]
    [InlineData("testing mx.a.test", null, false, true, "Verified requiretls")]
    [InlineData("testing mx.b.test", null, false, true, "5.7.10")]
    [InlineData("", TlsPolicy.None, true, true, "5.7.10")]
    public async Task What_asks_for_more_wins(string policy, TlsPolicy? configured, bool isAuthentic, bool requireTls, string expected)
    {
        var settings = new DeliverySettings { Tls = configured is { } tls ? new Dictionary<string, TlsPolicy> { ["A.test"] = tls } : [] };
        var words = policy.Split(' ');
        var found = policy.Length == 0
            ? TransportPolicy.None
            : new("1", Enum.Parse<MtaStsMode>(words[0], ignoreCase: true), [words[1]], TimeSpan.FromDays(1));
        var dns = new DnsTable($"{Host} A 192.0.2.1") { IsAuthentic = isAuthentic };
        var ladder = new TlsLadder(settings, new(dns), (_, _) => ValueTask.FromResult(found), NullLogger.Instance);
        var plan = await ladder.ForAsync(
            Domain, new DomainNextHop(Domain), new(Host, 10, [new(IPAddress.Parse("192.0.2.1"), 25)], isAuthentic, isAuthentic), requireTls ? MessageTls.Required : MessageTls.Usual, CancellationToken.None);
        Say(plan).ShouldBe(expected);
    }

    [Theory]
    [InlineData(null, "Opportunistic opportunistic")]
    [InlineData(TlsPolicy.Verified, "Verified configured")]
    public async Task TLS_Required_No_sets_the_domains_policies_aside_and_not_the_operators(TlsPolicy? configured, string expected)
    {
        // RFC 8689 §3, §4.2.2: neither is even looked up.
        var settings = new DeliverySettings { Tls = configured is { } tls ? new Dictionary<string, TlsPolicy> { [Domain] = tls } : [] };
        var dns = new DnsTable($"_25._tcp.{Host} SERVFAIL", $"{Host} A 192.0.2.1") { IsAuthentic = true };
        var ladder = new TlsLadder(settings, new(dns), (_, _) => throw new InvalidOperationException(), NullLogger.Instance);
        var plan = await ladder.ForAsync(
            Domain, new DomainNextHop(Domain), new(Host, 10, [new(IPAddress.Parse("192.0.2.1"), 25)], true, true), MessageTls.Optional, CancellationToken.None);
        Say(plan).ShouldBe(expected);
    }

    [Theory]
    [InlineData(SmarthostTls.None, true, false, "None none")]
    [InlineData(SmarthostTls.None, true, true, "5.7.10")]
    [InlineData(SmarthostTls.StartTls, true, false, "Verified smarthost")]
    [InlineData(SmarthostTls.StartTls, false, false, "Encrypted smarthost")]
    [InlineData(SmarthostTls.StartTls, false, true, "Verified smarthost")]
    [InlineData(SmarthostTls.Implicit, true, false, "Verified smarthost implicit")]
    public async Task A_smarthosts_TLS_is_as_it_is_set(SmarthostTls tls, bool verify, bool requireTls, string expected)
    {
        var hop = new SmarthostNextHop(new() { Host = "relay.test", Tls = tls, Verify = verify });
        var ladder = new TlsLadder(new(), new(new DnsTable()), (_, _) => ValueTask.FromResult(TransportPolicy.None), NullLogger.Instance);
        var plan = await ladder.ForAsync(
            Domain, hop, new("relay.test", 0, [new(IPAddress.Loopback, 587)], false, false), requireTls ? MessageTls.Required : MessageTls.Usual, CancellationToken.None);
        Say(plan).ShouldBe(expected);
    }

    private static string Say(TlsPlan plan) => plan.Refusal?.Enhanced
        ?? $"{plan.Tls.Requirement} {plan.Tls.Policy}{(plan.Tls.Implicit ? " implicit" : "")}{(plan.Tested ? " tested" : "")}";
}
