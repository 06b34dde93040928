using System.Net;
using System.Net.Sockets;
using EventMail.Protocols.Dns;

namespace EventMail.Host.Delivery.Routing;

/// <summary>What the DNS says of a host's addresses.</summary>
/// <param name="Status">Failed only when there is no address and another look-up may find one.</param>
/// <param name="Addresses">IPv6 and IPv4 in turn, each in random order.</param>
internal sealed record HostAddresses(DnsStatus Status, IReadOnlyList<IPAddress> Addresses, bool IsAuthentic, string? Detail)
{
    public static async Task<HostAddresses> FindAsync(IDnsSource dns, string host, bool ipv6, Random random, CancellationToken cancel)
    {
        var four = dns.QueryAsync(host, DnsType.A, cancel).AsTask();
        var six = ipv6 ? await dns.QueryAsync(host, DnsType.Aaaa, cancel) : null;
        var answers = six is null ? new[] { await four } : [six, await four];
        var found = answers.Where(answer => answer.Status == DnsStatus.Found).ToArray();
        if (found.Length > 0)
        {
            return new(
                DnsStatus.Found, InTurn(found.SelectMany(answer => answer.Of<AddressRecord>()).Select(record => record.Address), random),
                found.All(answer => answer.IsAuthentic), null);
        }
        var worst = answers.FirstOrDefault(answer => answer.Status == DnsStatus.Failed) ?? answers[0];
        return new(worst.Status, [], answers.All(answer => answer.IsAuthentic), worst.Detail);
    }

    // Where one family has no way to the host, the other one is tried next (RFC 8305 §4).
    private static IReadOnlyList<IPAddress> InTurn(IEnumerable<IPAddress> addresses, Random random)
    {
        var shuffled = addresses.ToArray();
        random.Shuffle(shuffled);
        return
        [
            .. shuffled.GroupBy(address => address.AddressFamily)
                .SelectMany(family => family.Select((address, turn) => (address, turn)))
                .OrderBy(pair => pair.turn).ThenBy(pair => pair.address.AddressFamily == AddressFamily.InterNetworkV6 ? 0 : 1)
                .Select(pair => pair.address),
        ];
    }
}
