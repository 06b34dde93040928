using System.Text.Json;
using EventMail.Testing;

namespace EventMail.EndToEnd.Outbound;

/// <summary>
/// Two domains on two servers, set up as their operators do it: a key by `domain dkim`, the records that it and `domain check` print
/// put into the DNS, the key activated.
/// </summary>
public sealed class TwoSites : IAsyncLifetime
{
    private DnsServer? _dns;
    private MailSite? _a;
    private MailSite? _b;

    internal MailSite A => _a!;

    internal MailSite B => _b!;

    internal string Alice { get; private set; } = "";

    internal string Bob { get; private set; } = "";

    public async Task InitializeAsync()
    {
        // The tests are skipped.
        if (OutboundSettings.Missing is not null)
        {
            return;
        }

        _dns = await DnsServer.StartAsync(Zones([]));
        var port = TestPort.Free();
        (_a, _b) = (new("alice.test", "127.0.0.2", port, _dns), new("bob.test", "127.0.0.3", port, _dns));
        await Task.WhenAll(_a.StartAsync(), _b.StartAsync());
        (Alice, Bob) = (await _a.NewAccountAsync("alice"), await _b.NewAccountAsync("bob"));
        await _dns.ReplaceAsync(Zones([.. await RecordsAsync(_a), .. await RecordsAsync(_b)]));
        await Task.WhenAll(new[] { _a, _b }.Select(site => site.DoAsync("domain", "dkim", site.Domain, "activate")));
    }

    public async Task DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _a, _b, _dns })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    // What the commands print for the zone file.
    private static async Task<IReadOnlyList<string>> RecordsAsync(MailSite site)
    {
        var keys = await site.DoAsync("domain", "dkim", site.Domain, "--algorithm", "both");
        var check = await site.Server.RunAsync("domain", "check", site.Domain, "--address", site.Address, "--json");
        check.ExitCode.ShouldBe(1, "nothing is published yet");
        var lines = check.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        return
        [
            .. keys.Split('\n').Where(line => line.Contains("._domainkey.", StringComparison.Ordinal) && line.Contains(" IN TXT ", StringComparison.Ordinal)),
            .. lines.Where(line => !line.GetProperty("optional").GetBoolean() && line.GetProperty("what").GetString() != "DKIM")
                .Select(line => line.GetProperty("publish").GetString()!),
        ];
    }

    private static DnsZone[] Zones(IReadOnlyList<string> records) =>
        [.. new[] { "alice.test", "bob.test", "0.0.127.in-addr.arpa" }.Select(zone => new DnsZone(
            zone, string.Join('\n', records.Where(record => record.Split(' ')[0].EndsWith(zone + ".", StringComparison.Ordinal)))))];
}
