using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace EventMail.Protocols.Tests.Dns;

/// <summary>A server on a loopback port that answers as a test says, and remembers what it was asked.</summary>
internal sealed class ScriptedDnsServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly Socket _udp;
    private readonly TcpListener _tcp;
    private readonly Func<byte[], IEnumerable<byte[]>> _onUdp;
    private readonly Func<byte[], byte[]?>? _onTcp;
    private readonly Task _serving;

    /// <param name="onUdp">The datagrams that answer a query, in order.</param>
    /// <param name="onTcp">The message that answers it by TCP; null closes the connection.</param>
    public ScriptedDnsServer(Func<byte[], IEnumerable<byte[]>> onUdp, Func<byte[], byte[]?>? onTcp = null, IPAddress? address = null)
    {
        (_onUdp, _onTcp) = (onUdp, onTcp);
        address ??= IPAddress.Loopback;
        _tcp = new(address, 0);
        _tcp.Start();
        EndPoint = (IPEndPoint)_tcp.LocalEndpoint;
        _udp = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _udp.Bind(EndPoint);
        _serving = Task.WhenAll(ServeUdpAsync(), ServeTcpAsync());
    }

    public IPEndPoint EndPoint { get; }

    public ConcurrentQueue<byte[]> Queries { get; } = new();

    public ConcurrentQueue<byte[]> TcpQueries { get; } = new();

    public ConcurrentQueue<int> Ports { get; } = new();

    /// <summary>Where answers are sent from, when not from where they are expected.</summary>
    public Socket? SendFrom { get; init; }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _tcp.Stop();
        _udp.Dispose();
        await _serving;
        _closing.Dispose();
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                var received = await _udp.ReceiveFromAsync(buffer, new IPEndPoint(EndPoint.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0), _closing.Token);
                var query = buffer[..received.ReceivedBytes];
                Queries.Enqueue(query);
                Ports.Enqueue(((IPEndPoint)received.RemoteEndPoint).Port);
                foreach (var answer in _onUdp(query))
                    await (SendFrom ?? _udp).SendToAsync(answer, received.RemoteEndPoint, _closing.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException)
        {
            // The end.
        }
    }

    private async Task ServeTcpAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _tcp.AcceptTcpClientAsync(_closing.Token);
                var stream = client.GetStream();
                var head = new byte[2];
                await stream.ReadExactlyAsync(head, _closing.Token);
                var query = new byte[(head[0] << 8) | head[1]];
                await stream.ReadExactlyAsync(query, _closing.Token);
                TcpQueries.Enqueue(query);
                if (_onTcp?.Invoke(query) is { } answer)
                    await stream.WriteAsync((byte[])[(byte)(answer.Length >> 8), (byte)answer.Length, .. answer], _closing.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException or SocketException or IOException)
        {
            // The end.
        }
    }
}
