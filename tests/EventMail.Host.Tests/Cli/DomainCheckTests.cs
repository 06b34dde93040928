using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using EventMail.Host.DomainChecks;
using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.TransportSecurity;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Cli;

/// <summary>`domain check` against a real DNS server.</summary>
public sealed class DomainCheckTests(CliServer cli) : IClassFixture<CliServer>
{
    private const string Host = "mail.example.test";

    private static readonly DkimKeyPair Key = DkimKeyPair.Generate(DkimAlgorithms.OfKeyType("ed25519"));
    private static readonly DkimRecord Dkim = new("example.test", "s1", DkimAlgorithms.OfKeyType("ed25519"), Key.PublicKey);
    private static readonly X509Certificate2 Certificate = TestCertificate.Certificate;

    private static readonly string Good =
        $"""
        @ MX 10 mail
        @ TXT "v=spf1 mx -all"
        mail A 192.0.2.1
        mail AAAA 2001:db8::1
        s1._domainkey TXT "{Dkim.Text}"
        _dmarc TXT "v=DMARC1; p=reject"
        _25._tcp.mail TLSA 3 1 1 {Convert.ToHexString(SHA256.HashData(Certificate.PublicKey.ExportSubjectPublicKeyInfo()))}
        _submissions._tcp SRV 0 1 465 mail
        _imaps._tcp SRV 0 1 993 mail
        _pop3s._tcp SRV 0 0 0 .
        """;

    private static readonly DnsZone[] Reverse =
    [
        new("2.0.192.in-addr.arpa", $"1 PTR {Host}.\n2 PTR other.example.test."),
        new("8.b.d.0.1.0.0.2.ip6.arpa", $"{ReverseName.Of(IPAddress.Parse("2001:db8::1"))}. PTR {Host}."),
    ];

    [SignedDnsFact]
    public async Task A_domain_with_all_its_records_is_as_it_should_be()
    {
        var lines = await CheckAsync(new DnsZone("example.test", Good) { IsSigned = true });
        lines.Where(line => line.Status != CheckStatus.Ok).ShouldHaveSingleItem().What.ShouldBe("MTA-STS");
        lines.Select(line => line.What).ShouldBe(["MX", "A", "AAAA", "PTR", "PTR", "SPF", "DKIM", "DMARC", "MTA-STS", "TLSA", "SRV", "SRV", "SRV"]);
        lines.Where(line => line.Status == CheckStatus.Ok).ShouldAllBe(line => line.Publish == null);
    }

    [DnsFact]
    public async Task What_is_missing_is_printed_to_be_published()
    {
        var lines = await CheckAsync([IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1")], new DnsZone("example.test", ""));
        lines.ShouldAllBe(line => line.Status == CheckStatus.Missing);
        lines.Select(line => line.Publish).Where(line => line is not null && !line.Contains("_mta-sts")).ShouldBe(
        [
            "example.test. IN MX 10 mail.example.test.",
            "mail.example.test. IN A 192.0.2.1",
            "mail.example.test. IN AAAA 2001:db8::1",
            "1.2.0.192.in-addr.arpa. IN PTR mail.example.test.",
            $"{ReverseName.Of(IPAddress.Parse("2001:db8::1"))}. IN PTR mail.example.test.",
            "example.test. IN TXT \"v=spf1 mx -all\"",
            Dkim.ZoneLine,
            "_dmarc.example.test. IN TXT \"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.test\"",
            $"_25._tcp.mail.example.test. IN TLSA 3 1 1 {Convert.ToHexStringLower(SHA256.HashData(Certificate.PublicKey.ExportSubjectPublicKeyInfo()))}",
            "_submissions._tcp.example.test. IN SRV 0 1 465 mail.example.test.",
            "_imaps._tcp.example.test. IN SRV 0 1 993 mail.example.test.",
            "_pop3s._tcp.example.test. IN SRV 0 1 995 mail.example.test.",
        ]);
    }

    [DnsFact]
    public async Task What_is_published_as_printed_is_as_it_should_be()
    {
        IPAddress[] addresses = [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1")];
        var missing = await CheckAsync(addresses, new DnsZone("example.test", ""));
        var published = string.Join('\n', missing.Select(line => line.Publish).Where(line => line?.Contains("_mta-sts") == false && !line.Contains("arpa")));
        var lines = await CheckAsync(addresses, [new DnsZone("example.test", published), .. Reverse]);
        lines.Where(line => !line.IsOptional).ShouldAllBe(line => line.Status == CheckStatus.Ok);
    }

    [DnsFact]
    public async Task What_is_wrong_says_why()
    {
        var lines = await CheckAsync(
            [IPAddress.Parse("192.0.2.2")],
            [
                new DnsZone("example.test", $"""
                @ MX 10 elsewhere
                @ TXT "v=spf1 ip4:192.0.2.1 -all"
                mail CNAME host
                host A 192.0.2.1
                s1._domainkey TXT "{new DkimRecord("example.test", "s1", DkimAlgorithms.OfKeyType("ed25519"), DkimKeyPair.Generate(DkimAlgorithms.OfKeyType("ed25519")).PublicKey).Text}"
                _dmarc TXT "v=DMARC1; p=maybe"
                _mta-sts TXT "v=STSv1; id=1;"
                _imaps._tcp SRV 0 1 993 elsewhere
                """),
                .. Reverse,
            ]);
        Why("MX").ShouldBe("none of them is mail.example.test, the name of this server (Hostname)");
        Why("A").ShouldStartWith("the name that an MX names must not be an alias");
        Why("PTR").ShouldStartWith("other.example.test does not lead back to 192.0.2.2");
        Why("SPF").ShouldStartWith("for 192.0.2.2 it says fail");
        Why("DKIM").ShouldBe("s1._domainkey.example.test has another key");
        Why("DMARC").ShouldBe("its p is none of none, quarantine and reject");
        Why("MTA-STS").ShouldStartWith("there is a record, but no policy could be fetched");
        Why("SRV").ShouldBe("it does not lead to mail.example.test");

        string Why(string what) => lines.First(line => line.What == what && line.Status == CheckStatus.Wrong).Why!;
    }

    [DnsFact]
    public async Task A_DNS_that_does_not_answer_makes_nothing_wrong_or_missing()
    {
        var lines = await CheckAsync(DnsZone.Failing("example.test"));
        lines.ShouldAllBe(line => line.Status == CheckStatus.Unknown);
        lines.ShouldAllBe(line => line.Why!.Contains("SERVFAIL"));
    }

    [DnsFact]
    public async Task The_command_prints_each_record_and_fails_where_one_is_not_right()
    {
        await cli.DoAsync("domain", "add", "example.test");
        await using var dns = await DnsServer.StartAsync(new DnsZone("example.test", "@ MX 10 mail\nmail A 192.0.2.1"));
        string[] set = ["--set", $"Dns:Servers={dns.Setting}", "--set", $"Hostname={Host}"];

        var text = await cli.Server.RunAsync(["domain", "check", "example.test", .. set]);
        text.ExitCode.ShouldBe(1);
        text.Output.ShouldContain("ok       MX       example.test  10 mail.example.test.");
        text.Output.ShouldContain("missing  SPF      example.test\n");
        text.Output.ShouldContain("         publish: example.test. IN TXT \"v=spf1 mx -all\"");
        text.Error.ShouldContain("example.test: 4 of the records that mail needs are not as they should be.");

        var json = await cli.Server.RunAsync(["domain", "check", "example.test", "--json", .. set]);
        var lines = json.Output.TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToList();
        lines[0].GetProperty("status").GetString().ShouldBe("ok");
        lines.First(line => line.GetProperty("what").GetString() == "SPF").GetProperty("publish").GetString().ShouldBe("example.test. IN TXT \"v=spf1 mx -all\"");
        (await cli.Server.RunAsync(["domain", "check", "nobody.test", .. set])).ExitCode.ShouldBe(1);
        (await cli.Server.RunAsync(["domain", "check", "example.test", "--address", "here", .. set])).ExitCode.ShouldBe(2);
    }

    private static Task<IReadOnlyList<CheckLine>> CheckAsync(DnsZone zone) => CheckAsync([], [zone, .. Reverse]);

    private static async Task<IReadOnlyList<CheckLine>> CheckAsync(IReadOnlyList<IPAddress> addresses, params DnsZone[] zones)
    {
        await using var server = await DnsServer.StartAsync(zones);
        using var dns = new DnsResolver(new() { Servers = [server.EndPoint] }, TimeProvider.System, NullLogger.Instance);
        using var fetcher = new MtaStsFetcher(MtaStsFetcher.Handler(dns, new()));
        await using var policies = new TransportPolicies(dns, fetcher, null, TimeProvider.System, NullLogger.Instance);
        var setup = new DomainSetup("example.test", Host, addresses, [Dkim], [Certificate]);
        return await new DomainCheck(setup, dns, policies, new(dns), TimeProvider.System).RunAsync(CancellationToken.None);
    }
}
