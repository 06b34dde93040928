using System.Net;
using System.Text;
using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.MailAuth.Spf;

namespace EventMail.Host.DomainChecks;

/// <summary>Whether others believe that mail of the domain is its own: SPF (RFC 7208), DKIM (6376), DMARC.</summary>
internal sealed class SenderChecks(DomainSetup setup, IDnsSource dns, TimeProvider time)
{
    public async Task<IReadOnlyList<CheckLine>> RunAsync(IReadOnlyList<IPAddress> addresses, CancellationToken cancel)
    {
        List<CheckLine> lines = [await SpfAsync(addresses, cancel)];
        foreach (var key in setup.Keys)
            lines.Add(await DkimAsync(key, cancel));
        if (setup.Keys.Count == 0)
            lines.Add(new("DKIM", CheckStatus.Missing, $"_domainkey.{setup.Domain}", null, $"no key signs the domain's mail: run eventmail domain dkim {setup.Domain}", null));
        lines.Add(await DmarcAsync(cancel));
        return lines;
    }

    private async Task<CheckLine> SpfAsync(IReadOnlyList<IPAddress> addresses, CancellationToken cancel)
    {
        var publish = $"{setup.Domain}. IN TXT \"v=spf1 mx -all\"";
        var (answer, records) = await TextsAsync(setup.Domain, "v=spf1", cancel);
        if (records.Count == 0)
            return DomainCheck.Nothing("SPF", answer, setup.Domain, "anybody may send as the domain, and big sites refuse its mail", publish);
        var found = string.Join(" and ", records);
        if (addresses.Count == 0)
            return new("SPF", CheckStatus.Unknown, setup.Domain, found, $"{setup.Hostname} has no address to try it with", null);
        var spf = new SpfVerifier(dns, setup.Hostname, time);
        foreach (var address in addresses)
        {
            var outcome = await spf.MailFromAsync(address, setup.Hostname, "postmaster", setup.Domain, cancel);
            if (outcome.Result == SpfResult.TempError)
                return new("SPF", CheckStatus.Unknown, setup.Domain, found, outcome.Detail, null);
            if (outcome.Result != SpfResult.Pass)
                return new("SPF", CheckStatus.Wrong, setup.Domain, found, $"for {address} it says {$"{outcome.Result}".ToLowerInvariant()}{(outcome.Detail is { Length: > 0 } detail ? $": {detail}" : "")}", publish);
        }
        return new("SPF", CheckStatus.Ok, setup.Domain, found, null, null);
    }

    private async Task<CheckLine> DkimAsync(DkimRecord key, CancellationToken cancel)
    {
        var answer = await dns.QueryAsync(key.Name, DnsType.Txt, cancel);
        if (answer.Status != DnsStatus.Found)
            return DomainCheck.Nothing("DKIM", answer, key.Name, null, key.ZoneLine);
        return await key.FaultAsync(dns, cancel) is { } fault
            ? new("DKIM", CheckStatus.Wrong, key.Name, Shown(answer), fault, key.ZoneLine)
            : new("DKIM", CheckStatus.Ok, key.Name, "this server's key", null, null);
    }

    private async Task<CheckLine> DmarcAsync(CancellationToken cancel)
    {
        var name = "_dmarc." + setup.Domain;
        var publish = $"{name}. IN TXT \"v=DMARC1; p=quarantine; rua=mailto:postmaster@{setup.Domain}\"";
        var (answer, records) = await TextsAsync(name, "v=DMARC1", cancel);
        if (records.Count == 0)
            return DomainCheck.Nothing("DMARC", answer, name, "big sites want it of who sends them much", publish);
        if (records.Count > 1)
            return new("DMARC", CheckStatus.Wrong, name, string.Join(" and ", records), "of several records none counts", publish);
        var policy = records[0].Split(';', StringSplitOptions.TrimEntries).Select(tag => tag.Split('=', 2, StringSplitOptions.TrimEntries))
            .FirstOrDefault(tag => tag[0].Equals("p", StringComparison.OrdinalIgnoreCase))?.ElementAtOrDefault(1);
        return policy?.ToLowerInvariant() is "none" or "quarantine" or "reject"
            ? new("DMARC", CheckStatus.Ok, name, records[0], null, null)
            : new("DMARC", CheckStatus.Wrong, name, records[0], "its p is none of none, quarantine and reject", publish);
    }

    private async Task<(DnsAnswer, List<string>)> TextsAsync(string name, string version, CancellationToken cancel)
    {
        var answer = await dns.QueryAsync(name, DnsType.Txt, cancel);
        // Another record of the name may begin alike: v=spf10.
        var texts = answer.Of<TxtRecord>().Select(TextOf)
            .Where(text => text.StartsWith(version, StringComparison.OrdinalIgnoreCase) && (text.Length == version.Length || text[version.Length] is ' ' or ';'));
        return (answer, [.. texts]);
    }

    private static string Shown(DnsAnswer answer) => string.Join(" and ", answer.Of<TxtRecord>().Select(TextOf));

    // Somebody's octets, for a terminal.
    private static string TextOf(TxtRecord record) =>
        new([.. Encoding.Latin1.GetString(record.Text.Span).Select(letter => letter is >= ' ' and < '\x7f' ? letter : '?')]);
}
