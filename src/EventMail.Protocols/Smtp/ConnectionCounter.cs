using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace EventMail.Protocols.Smtp;

/// <summary>How many connections each address has open; an IPv6 client is its /64. Thread-safe.</summary>
internal sealed class ConnectionCounter
{
    private readonly ConcurrentDictionary<IPAddress, int> _counts = new();

    /// <returns>How many there are now, this one included.</returns>
    public int Enter(IPAddress address) => _counts.AddOrUpdate(Network(address), 1, (_, count) => count + 1);

    public void Leave(IPAddress address)
    {
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
