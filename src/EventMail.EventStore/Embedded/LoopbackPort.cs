using System.Net;
using System.Net.Sockets;

namespace EventMail.EventStore.Embedded;

internal static class LoopbackPort
{
    /// <summary>A port that was free a moment ago.</summary>
    public static int FindFree()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
