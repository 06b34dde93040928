using System.Net;
using EventMail.Host.Configuration;
using EventMail.Protocols.Dns;

namespace EventMail.Host.Delivery.Routing;

/// <summary>Finds the hosts of a next hop (RFC 5321 §5.1). Thread-safe.</summary>
public sealed class Router(IDnsSource dns, DeliverySettings settings, OwnAddresses own, Random random)
{
    public async Task<Route> FindAsync(NextHop hop, CancellationToken cancel) => hop switch
    {
        SmarthostNextHop relay => await SmarthostAsync(relay.Smarthost, cancel),
        LiteralNextHop literal => Literal(literal),
        DomainNextHop domain => await DomainAsync(domain.Domain, cancel),
        // RFC 3463 §3.2, X.1.3: bad destination mailbox address syntax
        _ => Route.Nowhere(isPermanent: true, "5.1.3", $"{hop.Key} is no address that mail can be sent to"),
    };

    private async Task<Route> DomainAsync(string domain, CancellationToken cancel)
    {
        var answer = await dns.QueryAsync(domain, DnsType.Mx, cancel);
        switch (answer.Status)
        {
            case DnsStatus.NoName:
                return Route.Nowhere(isPermanent: true, "5.1.2", $"The domain {domain} does not exist");
            case DnsStatus.Failed:
                return Route.Nowhere(isPermanent: false, "4.4.3", $"The MX records of {domain} could not be looked up: {answer.Detail ?? "no answer"}");
            case DnsStatus.NoData:
                // RFC 5321 §5.1: the implicit MX.
                return await HostsAsync(domain, answer, [new(0, domain)], isImplicit: true, cancel);
        }
        var records = answer.Of<MxRecord>().DistinctBy(record => record.Exchange, StringComparer.OrdinalIgnoreCase).ToList();
        // RFC 7505 §3: a null MX stands alone; beside others it says nothing.
        if (records.TrueForAll(record => record.Exchange.Length == 0))
            return Route.Nowhere(isPermanent: true, "5.1.10", $"The domain {domain} takes no mail (null MX)");
        return await HostsAsync(domain, answer, records.Where(record => record.Exchange.Length > 0), isImplicit: false, cancel);
    }

    private async Task<Route> HostsAsync(
        string domain, DnsAnswer answer, IEnumerable<MxRecord> records, bool isImplicit, CancellationToken cancel)
    {
        var ordered = Ordered(records);
        if (!isImplicit && ordered.Find(record => own.IsOwnName(record.Exchange)) is { } us)
        {
            ordered.RemoveAll(record => record.Preference >= us.Preference);
            if (ordered.Count == 0)
                return Loop(domain, us.Exchange, "that is this server's name");
        }
        var looked = await Task.WhenAll(ordered.Take(settings.MaxHosts).Select(async record =>
            (Record: record, Found: await HostAddresses.FindAsync(dns, record.Exchange, settings.IPv6, random, cancel))));

        var hosts = new List<RouteHost>();
        var unusable = new List<IPAddress>();
        foreach (var (record, found) in looked)
        {
            var kinds = found.Addresses.ToLookup(address => own.Judge(address, settings.Port));
            if (kinds[AddressKind.Ourselves].FirstOrDefault() is { } loop)
            {
                // RFC 5321 §5.1: no host that is not better than we are.
                hosts.RemoveAll(host => host.Preference >= record.Preference);
                if (hosts.Count == 0 && !looked.Any(other => other.Record.Preference < record.Preference && other.Found.Status == DnsStatus.Failed))
                    return Loop(domain, record.Exchange, $"its address {loop} is this server's");
                looked = [.. looked.Where(other => other.Record.Preference < record.Preference)];
                break;
            }
            unusable.AddRange(kinds[AddressKind.Unusable]);
            var addresses = kinds[AddressKind.Remote].Select(address => new IPEndPoint(address, settings.Port)).ToList();
            if (addresses.Count > 0)
                hosts.Add(new(record.Exchange, record.Preference, addresses, answer.IsAuthentic, found.IsAuthentic, answer.Name));
        }

        var failed = looked.Where(host => host.Found.Status == DnsStatus.Failed).ToList();
        if (hosts.Count > 0)
            return new(hosts, null, failed.Count > 0);
        if (failed.Count > 0)
        {
            var (record, found) = failed[0];
            return Route.Nowhere(
                isPermanent: false, "4.4.3", $"The addresses of {record.Exchange} could not be looked up: {found.Detail ?? "no answer"}", record.Exchange);
        }
        if (unusable.Count > 0)
            return Route.Nowhere(isPermanent: true, "5.4.4", $"The domain {domain} names only addresses that no mail is sent to, such as {unusable[0]}");
        return isImplicit
            ? Route.Nowhere(isPermanent: true, "5.1.2", $"The domain {domain} has neither an MX record nor an address")
            // RFC 5321 §5.1: MX records that lead nowhere are an error, the domain's own address is not asked for.
            : Route.Nowhere(isPermanent: true, "5.4.4", $"The domain {domain} has MX records, but none of their hosts has an address", looked.FirstOrDefault().Record?.Exchange);
    }

    // By preference; equals in random order, so that they share the load (RFC 5321 §5.1).
    private List<MxRecord> Ordered(IEnumerable<MxRecord> records)
    {
        var shuffled = records.ToArray();
        random.Shuffle(shuffled);
        return [.. shuffled.OrderBy(record => record.Preference)];
    }

    private Route Literal(LiteralNextHop literal) => own.Judge(literal.Address, settings.Port) switch
    {
        AddressKind.Ourselves => Loop(literal.Literal, literal.Literal, "that is this server"),
        AddressKind.Unusable => Route.Nowhere(isPermanent: true, "5.4.4", $"No mail is sent to the address {literal.Literal}"),
        _ => new([new(literal.Literal, 0, [new(literal.Address, settings.Port)], MxIsAuthentic: false, AddressesAreAuthentic: false)], null, IsIncomplete: false),
    };

    // What is wrong with a smarthost is ours to mend: no message is given up for it.
    private async Task<Route> SmarthostAsync(SmarthostSettings relay, CancellationToken cancel)
    {
        var found = IPAddress.TryParse(relay.Host, out var address)
            ? new(DnsStatus.Found, [address], IsAuthentic: false, null)
            : relay.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
                ? new(DnsStatus.Found, [IPAddress.Loopback, IPAddress.IPv6Loopback], IsAuthentic: false, null)
                : await HostAddresses.FindAsync(dns, relay.Host, settings.IPv6, random, cancel);
        var addresses = found.Addresses.Where(each => !own.IsListener(each, relay.Port)).Select(each => new IPEndPoint(each, relay.Port)).ToList();
        if (addresses.Count > 0)
            return new([new(relay.Host, 0, addresses, MxIsAuthentic: true, found.IsAuthentic)], null, IsIncomplete: false);
        return found.Status switch
        {
            DnsStatus.Found => Route.Nowhere(isPermanent: false, "4.3.5", $"The smarthost {relay.Host}:{relay.Port} is this server itself", relay.Host),
            DnsStatus.Failed => Route.Nowhere(
                isPermanent: false, "4.4.3", $"The smarthost {relay.Host} could not be looked up: {found.Detail ?? "no answer"}", relay.Host),
            _ => Route.Nowhere(isPermanent: false, "4.4.4", $"The smarthost {relay.Host} has no address", relay.Host),
        };
    }

    // RFC 3463 §3.5, X.4.6
    private static Route Loop(string domain, string host, string why) =>
        Route.Nowhere(isPermanent: true, "5.4.6", $"Mail for {domain} loops: its best host is {host}, and {why}", host);
}
