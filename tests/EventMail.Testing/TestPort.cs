using System.Net;
using System.Net.Sockets;

namespace EventMail.Testing;

/// <summary>Ports for programs that cannot take any free one themselves.</summary>
public static class TestPort
{
    /// <summary>A port that is free for UDP and TCP.</summary>
    public static int Free()
    {
        for (var attempt = 0; ; attempt++)
        {
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            try
            {
                udp.Bind(tcp.LocalEndPoint!);
                return ((IPEndPoint)tcp.LocalEndPoint!).Port;
            }
            catch (SocketException) when (attempt < 20)
            {
                // Somebody's UDP port: another.
            }
        }
    }
}
