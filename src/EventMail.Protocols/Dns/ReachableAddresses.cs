using System.Net;
using System.Net.Sockets;

namespace EventMail.Protocols.Dns;

/// <summary>
/// The addresses that may be connected to when somebody else's DNS names them: those of the Internet. Otherwise whoever has a domain
/// reaches what is behind our firewall by naming it.
/// </summary>
/// <param name="Loopback">Also this machine.</param>
/// <param name="Private">Also private networks.</param>
public sealed record ReachableAddresses(bool Loopback = false, bool Private = false)
{
    private static readonly IPNetwork[] LoopbackNetworks = [.. Networks("127.0.0.0/8", "::1/128")];

    // RFC 1918, RFC 6598, RFC 2544, RFC 4193, RFC 3879, RFC 8215
    private static readonly IPNetwork[] PrivateNetworks =
        [.. Networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7", "fec0::/10", "64:ff9b:1::/48")];

    // "This network" (connecting there reaches this machine), link-local, protocol assignments, multicast, reserved and broadcast (RFC 6890). 168.63.129.16 is
    // public by its number only: on machines of Azure their host answers there and hands out what they are configured with.
    private static readonly IPNetwork[] Never =
        [.. Networks("0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/3", "168.63.129.16/32", "::/128", "fe80::/10", "ff00::/8")];

    // Addresses of IPv6 that hold one of IPv4, and behind how many octets: mapped and compatible (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056)
    private static readonly (IPNetwork Network, int Octets)[] Holders =
    [
        (IPNetwork.Parse("::ffff:0:0/96"), 12), (IPNetwork.Parse("::/96"), 12), (IPNetwork.Parse("64:ff9b::/96"), 12), (IPNetwork.Parse("2002::/16"), 2),
    ];

    public bool Contains(IPAddress address) =>
        IsIn(LoopbackNetworks, address) ? Loopback
        : IsIn(PrivateNetworks, address) ? Private
        : !IsIn(Never, address) && (Held(address) is not { } held || Contains(held));

    private static IPAddress? Held(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return null;
        foreach (var (network, octets) in Holders)
        {
            if (network.Contains(address))
                return new(address.GetAddressBytes().AsSpan(octets, 4));
        }
        return null;
    }

    private static bool IsIn(IPNetwork[] networks, IPAddress address) => Array.Exists(networks, network => network.Contains(address));

    private static IEnumerable<IPNetwork> Networks(params IEnumerable<string> networks) => networks.Select(text => IPNetwork.Parse(text));
}
