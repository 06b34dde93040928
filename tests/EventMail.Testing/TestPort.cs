using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EventMail.Testing;

/// <summary>
/// Ports for programs that cannot take any free one themselves, and for what nobody listens on. None comes from the range that the kernel
/// takes the ports of outgoing connections from, and those that are bound as 0: between being named here and being bound it would be
/// anybody's. Each is given out once.
/// </summary>
public static class TestPort
{
    private const int First = 10000;

    // Where another range is configured, that one's beginning holds.
    private const int UsualFirstOfKernel = 32768;
    private const string RangeOfKernel = "/proc/sys/net/ipv4/ip_local_port_range";

    private static readonly int End = FirstOfKernel();

    // Held until this process ends, however it ends: no other test process gives out the same port.
    private static readonly ConcurrentBag<Socket> Held = [];

    // Processes begin in different places.
    private static int s_next = Random.Shared.Next(End - First);

    /// <summary>A port that is free for UDP and TCP, and stays so until who asked takes it.</summary>
    public static int Free()
    {
        for (var tried = First; tried < End; tried++)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref s_next) % (uint)(End - First));
            if (IsMine(port) && IsFree(port))
                return port;
        }
        throw new InvalidOperationException($"No port from {First} to {End - 1} is free.");
    }

    /// <summary>
    /// A name that one process can have at a time, and none when it has ended; as ports it is the network namespace's. One that is taken here
    /// is never given back.
    /// </summary>
    private static bool IsMine(int port)
    {
        // Elsewhere there are no such names: test processes rely on beginning in different places.
        if (!OperatingSystem.IsLinux())
            return true;
        var name = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            name.Bind(new UnixDomainSocketEndPoint(string.Create(CultureInfo.InvariantCulture, $"\0eventmail-test-port-{port}")));
            Held.Add(name);
            return true;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            name.Dispose();
            return false;
        }
    }

    /// <summary>At every address: the programs differ in which they listen at.</summary>
    private static bool IsFree(int port)
    {
        using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            tcp.Bind(new IPEndPoint(IPAddress.Any, port));
            udp.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FirstOfKernel()
    {
        var first = File.Exists(RangeOfKernel) ? int.Parse(File.ReadAllText(RangeOfKernel).Split()[0], CultureInfo.InvariantCulture) : UsualFirstOfKernel;
        // Where it leaves no room below itself, only the lock and the check are left.
        return first > First + 1000 ? first : UsualFirstOfKernel;
    }
}
