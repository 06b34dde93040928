using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.TransportSecurity;

namespace EventMail.Host.DomainChecks;

/// <summary>What a domain's records are held against.</summary>
/// <param name="Domain">ASCII, lower case.</param>
/// <param name="Hostname">The server's name in the DNS.</param>
/// <param name="Addresses">The server's, where the operator says; those of its name when empty.</param>
/// <param name="Keys">The records of the keys that sign the domain's mail, or will.</param>
/// <param name="Certificates">The server's own and what it sends with it; empty when none is set.</param>
public sealed record DomainSetup(
    string Domain, string Hostname, IReadOnlyList<IPAddress> Addresses, IReadOnlyList<DkimRecord> Keys, IReadOnlyList<X509Certificate2> Certificates);

/// <summary>Compares a domain's records with what this server needs. Asks the DNS and the domain's policy host, changes nothing.</summary>
public sealed class DomainCheck(DomainSetup setup, IDnsSource dns, TransportPolicies policies, DaneRecords dane, TimeProvider time)
{
    public async Task<IReadOnlyList<CheckLine>> RunAsync(CancellationToken cancel)
    {
        var addresses = await AddressesAsync(cancel);
        return
        [
            .. await new MailServerChecks(setup, dns).RunAsync(addresses, cancel),
            .. await new SenderChecks(setup, dns, time).RunAsync(addresses, cancel),
            .. await new TransportChecks(setup, dns, policies, dane, time).RunAsync(cancel),
            .. await new ServiceChecks(setup, dns).RunAsync(cancel),
        ];
    }

    private async Task<IReadOnlyList<IPAddress>> AddressesAsync(CancellationToken cancel)
    {
        if (setup.Addresses.Count > 0)
            return setup.Addresses;
        var found = new List<IPAddress>();
        foreach (var type in (DnsType[])[DnsType.A, DnsType.Aaaa])
            found.AddRange((await dns.QueryAsync(setup.Hostname, type, cancel)).Of<AddressRecord>().Select(record => record.Address));
        return found;
    }

    /// <summary>The line of a question that brought no record.</summary>
    internal static CheckLine Nothing(string what, DnsAnswer answer, string name, string? why, string publish, bool isOptional = false) =>
        answer.Status == DnsStatus.Failed
            ? new(what, CheckStatus.Unknown, name, null, answer.Detail, publish, isOptional)
            : new(what, CheckStatus.Missing, name, null, why, publish, isOptional);

    internal static DnsType TypeOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa;
}
