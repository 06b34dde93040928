using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace EventMail.Host.Listeners;

/// <summary>
/// How many connections each address has open; an IPv6 client is its /64. Loopback is not counted: it is a local MTA, or every client of
/// a proxy. Thread-safe.
/// </summary>
internal sealed class ConnectionCounter(int limit)
{
    private readonly ConcurrentDictionary<IPAddress, int> _counts = new();

    public int Limit => limit;

    /// <summary>False, and nothing is counted, when the address has as many as it may.</summary>
    public bool TryEnter(IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || _counts.AddOrUpdate(Network(address), 1, (_, count) => count + 1) <= limit)
            return true;
        Leave(address);
        return false;
    }

    public void Leave(IPAddress address)
    {
        if (IPAddress.IsLoopback(address))
            return;
        var network = Network(address);
        if (_counts.AddOrUpdate(network, 0, (_, count) => count - 1) == 0)
            _counts.TryRemove(new(network, 0));
    }

    private static IPAddress Network(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new(bytes);
    }
}
