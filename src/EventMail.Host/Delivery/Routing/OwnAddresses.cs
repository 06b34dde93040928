using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EventMail.Protocols.Dns;

namespace EventMail.Host.Delivery.Routing;

/// <summary>What an address that the DNS names is to us.</summary>
public enum AddressKind
{
    Remote,

    /// <summary>Mail sent there would come back here (RFC 5321 §5.1).</summary>
    Ourselves,

    /// <summary>No mail is sent there: a domain's owner must not reach what is behind our firewall by naming it.</summary>
    Unusable,
}

/// <summary>Knows which names and addresses are this server's. Thread-safe.</summary>
/// <param name="names">What it calls itself.</param>
/// <param name="listeners">Where it takes mail from others.</param>
/// <param name="published">Addresses that lead here and are on no interface.</param>
/// <param name="reachable">With loopback other servers may be on this machine.</param>
/// <param name="interfaces">The addresses of this machine's interfaces.</param>
public sealed class OwnAddresses(
    IReadOnlyList<string> names, IReadOnlyList<IPEndPoint> listeners, IReadOnlySet<IPAddress> published, ReachableAddresses reachable,
    Func<IReadOnlySet<IPAddress>> interfaces)
{
    public bool IsOwnName(string host) => names.Any(name => name.Equals(host, StringComparison.OrdinalIgnoreCase));

    public AddressKind Judge(IPAddress address, int port)
    {
        address = Plain(address);
        if (published.Contains(address) || listeners.Any(listener => Takes(listener, address, port)))
            return AddressKind.Ourselves;
        if (!reachable.Loopback && interfaces().Contains(address) && !IPAddress.IsLoopback(address))
            return AddressKind.Ourselves;
        return reachable.Contains(address) ? AddressKind.Remote : AddressKind.Unusable;
    }

    /// <summary>A smarthost may be on this machine, but not be us.</summary>
    public bool IsListener(IPAddress address, int port) => listeners.Any(listener => Takes(listener, Plain(address), port));

    /// <summary>The addresses of the interfaces, read anew once a minute.</summary>
    public static Func<IReadOnlySet<IPAddress>> OfThisMachine(TimeProvider time)
    {
        (DateTimeOffset Until, IReadOnlySet<IPAddress> Addresses) known = (DateTimeOffset.MinValue, new HashSet<IPAddress>());
        var gate = new Lock();
        return () =>
        {
            lock (gate)
            {
                if (known.Until < time.GetUtcNow())
                    known = (time.GetUtcNow().AddMinutes(1), Read());
                return known.Addresses;
            }
        };

        static HashSet<IPAddress> Read() =>
            [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(own => Plain(own.Address))];
    }

    private bool Takes(IPEndPoint listener, IPAddress address, int port)
    {
        if (listener.Port != port)
            return false;
        var bound = Plain(listener.Address);
        return bound.Equals(address)
            || ((bound.Equals(IPAddress.Any) || bound.Equals(IPAddress.IPv6Any)) && (IPAddress.IsLoopback(address) || interfaces().Contains(address)));
    }

    // Without a zone, and IPv4 as itself.
    private static IPAddress Plain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        return address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: not 0 } ? new(address.GetAddressBytes()) : address;
    }
}
