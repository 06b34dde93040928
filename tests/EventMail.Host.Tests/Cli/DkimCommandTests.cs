using System.Text.Json;
using EventMail.Testing;

namespace EventMail.Host.Tests.Cli;

/// <summary>`domain dkim`: a key's life from the first one made to its retirement. Keys that are published are in TwoSitesStoryTests.</summary>
public sealed class DkimCommandTests(CliServer cli) : IClassFixture<CliServer>
{
    [DnsFact]
    public async Task A_key_waits_for_its_record_signs_and_retires()
    {
        await using var dns = await DnsServer.StartAsync(new DnsZone("dkim.test", ""));
        await cli.DoAsync("domain", "add", "dkim.test");

        var made = await cli.DoAsync("domain", "dkim", "dkim.test", "--selector", "One", "--algorithm", "ed25519");
        made.ShouldContain("it signs nothing yet");
        made.ShouldContain("TXT record one._domainkey.dkim.test");
        (await StatusAsync("one")).ShouldBe("waiting");

        var refused = await cli.FailAsync(1, "domain", "dkim", "dkim.test", "activate", "--set", $"Dns:Servers={dns.Setting}");
        refused.ShouldContain("one._domainkey.dkim.test");
        refused.ShouldContain("The key is not activated");
        (await StatusAsync("one")).ShouldBe("waiting");

        (await cli.DoAsync("domain", "dkim", "dkim.test", "activate", "--force")).ShouldContain("signs the mail of dkim.test from now on");
        (await StatusAsync("one")).ShouldBe("active");
        (await cli.FailAsync(1, "domain", "dkim", "dkim.test", "activate", "--force")).ShouldContain("No key waits");

        // A second one beside it, under another name.
        (await cli.FailAsync(1, "domain", "dkim", "dkim.test", "add", "--selector", "one")).ShouldContain("keys get new ones");
        await cli.DoAsync("domain", "dkim", "dkim.test", "add", "--selector", "two");
        await cli.DoAsync("domain", "dkim", "dkim.test", "activate", "--selector", "two", "--force");

        (await cli.FailAsync(1, "domain", "dkim", "dkim.test", "retire")).ShouldContain("--selector");
        (await cli.FailAsync(1, "domain", "dkim", "dkim.test", "retire", "--selector", "three")).ShouldContain("no key of this selector");
        var retired = await cli.DoAsync("domain", "dkim", "dkim.test", "retire", "--selector", "one");
        retired.ShouldContain("signs no more");
        retired.ShouldNotContain("No key of");
        (await cli.DoAsync("domain", "dkim", "dkim.test", "retire", "--selector", "two")).ShouldContain("No key of dkim.test signs now");
        (await StatusAsync("one")).ShouldBe("retired");
        (await cli.FailAsync(1, "domain", "dkim", "dkim.test", "activate", "--selector", "one", "--force")).ShouldContain("The key is retired");
    }

    [Fact]
    public async Task A_domain_that_is_not_there_has_no_keys() =>
        (await cli.FailAsync(1, "domain", "dkim", "nobody.test")).ShouldContain("No such domain");

    private async Task<string?> StatusAsync(string selector)
    {
        var output = await cli.DoAsync("domain", "dkim", "dkim.test", "list", "--json");
        foreach (var line in output.Split('\n'))
        {
            using var json = JsonDocument.Parse(line);
            var row = json.RootElement;
            if (row.GetProperty("selector").GetString() == selector)
            {
                row.GetProperty("name").GetString().ShouldBe($"{selector}._domainkey.dkim.test");
                row.GetProperty("record").GetString()!.ShouldStartWith("v=DKIM1");
                return row.GetProperty("status").GetString();
            }
        }

        return null;
    }
}
