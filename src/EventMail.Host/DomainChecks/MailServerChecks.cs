using System.Net;
using EventMail.Protocols.Dns;

namespace EventMail.Host.DomainChecks;

/// <summary>Whether mail finds the server, and the server's address its name (RFC 5321 §5.1; FCrDNS).</summary>
internal sealed class MailServerChecks(DomainSetup setup, IDnsSource dns)
{
    public async Task<IReadOnlyList<CheckLine>> RunAsync(IReadOnlyList<IPAddress> addresses, CancellationToken cancel)
    {
        List<CheckLine> lines = [await ExchangeAsync(cancel), .. await HostAsync(addresses, cancel)];
        foreach (var address in addresses)
            lines.Add(await ReverseAsync(address, cancel));
        return lines;
    }

    private async Task<CheckLine> ExchangeAsync(CancellationToken cancel)
    {
        var publish = $"{setup.Domain}. IN MX 10 {setup.Hostname}.";
        var answer = await dns.QueryAsync(setup.Domain, DnsType.Mx, cancel);
        if (answer.Status != DnsStatus.Found)
            return DomainCheck.Nothing("MX", answer, setup.Domain, "mail for the domain does not find this server", publish);
        var exchanges = answer.Of<MxRecord>().OrderBy(mx => mx.Preference).ToList();
        var found = string.Join(", ", exchanges.Select(mx => $"{mx.Preference} {mx.Exchange}."));
        // RFC 7505: "." says that the domain takes no mail; beside others it is a mistake.
        return exchanges.Exists(mx => mx.Exchange.Length == 0)
                ? new("MX", CheckStatus.Wrong, setup.Domain, found, "a null MX says that the domain takes no mail", publish)
            : exchanges.Exists(mx => mx.Exchange == setup.Hostname)
                ? new("MX", CheckStatus.Ok, setup.Domain, found, null, null)
                : new("MX", CheckStatus.Wrong, setup.Domain, found, $"none of them is {setup.Hostname}, the name of this server (Hostname)", publish);
    }

    private async Task<IReadOnlyList<CheckLine>> HostAsync(IReadOnlyList<IPAddress> addresses, CancellationToken cancel)
    {
        var lines = new List<CheckLine>();
        foreach (var type in (DnsType[])[DnsType.A, DnsType.Aaaa])
        {
            var what = type == DnsType.A ? "A" : "AAAA";
            var wanted = addresses.Where(address => DomainCheck.TypeOf(address) == type).ToList();
            var answer = await dns.QueryAsync(setup.Hostname, type, cancel);
            var there = answer.Of<AddressRecord>().Select(record => record.Address).ToList();
            var found = there.Count > 0 ? string.Join(", ", there) : null;
            var lacking = wanted.Except(there).ToList();
            var publish = string.Join('\n', (lacking.Count > 0 ? lacking.Select(address => address.ToString()) : [type == DnsType.A ? "192.0.2.1" : "2001:db8::1"])
                .Select(address => $"{setup.Hostname}. IN {what} {address}"));
            if (there.Count > 0 && answer.Name != setup.Hostname)
                lines.Add(new(what, CheckStatus.Wrong, setup.Hostname, found, "the name that an MX names must not be an alias (CNAME; RFC 5321 section 5.1)", publish));
            else if (there.Count > 0)
                lines.Add(lacking.Count == 0
                    ? new(what, CheckStatus.Ok, setup.Hostname, found, null, null)
                    : new(what, CheckStatus.Wrong, setup.Hostname, found, $"{string.Join(", ", lacking)} is not among them", publish));
            // One family is enough.
            else if (wanted.Count > 0 || addresses.Count == 0)
                lines.Add(DomainCheck.Nothing(
                    what, answer, setup.Hostname, addresses.Count == 0 ? "this server's address, in place of the example's" : null, publish, type == DnsType.Aaaa && wanted.Count == 0));
        }
        return lines;
    }

    private async Task<CheckLine> ReverseAsync(IPAddress address, CancellationToken cancel)
    {
        const string Who = "who gave you the address sets it; many servers refuse mail without";
        var name = ReverseName.Of(address);
        var publish = $"{name}. IN PTR {setup.Hostname}.";
        var answer = await dns.QueryAsync(name, DnsType.Ptr, cancel);
        if (answer.Status != DnsStatus.Found)
            return DomainCheck.Nothing("PTR", answer, name, Who, publish);
        var names = answer.Of<NameRecord>().Select(record => record.Name).ToList();
        var found = string.Join(", ", names);
        foreach (var candidate in names.Contains(setup.Hostname) ? [setup.Hostname] : names)
        {
            var back = await dns.QueryAsync(candidate, DomainCheck.TypeOf(address), cancel);
            if (back.Of<AddressRecord>().Any(record => record.Address.Equals(address)))
                return new("PTR", CheckStatus.Ok, name, found, candidate == setup.Hostname ? null : $"another name than {setup.Hostname}, but it leads back to {address}", null);
        }
        return new("PTR", CheckStatus.Wrong, name, found, $"{found} does not lead back to {address}; {Who}", publish);
    }
}
