using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EventMail.Host.Tests.Moving;

/// <summary>Between an IMAP client and its server: cuts a connection off, or does something before a command goes through. In the clear.</summary>
internal sealed class ImapProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _server;
    private readonly Task _accepting;

    public ImapProxy(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>A connection ends when the server has sent so many octets.</summary>
    public long CutAfter { get; set; } = long.MaxValue;

    /// <summary>Runs before what the client sends goes to the server.</summary>
    public Func<string, Task> BeforeCommand { get; set; } = _ => Task.CompletedTask;

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = RelayAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // Closed.
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            await server.ConnectAsync(IPAddress.Loopback, _server);
            await Task.WhenAny(UpAsync(client.GetStream(), server.GetStream()), DownAsync(server.GetStream(), client.GetStream()));
        }
    }

    private async Task UpAsync(NetworkStream client, NetworkStream server)
    {
        var buffer = new byte[4096];
        while (await client.ReadAsync(buffer) is var count and > 0)
        {
            await BeforeCommand(Encoding.Latin1.GetString(buffer, 0, count));
            await server.WriteAsync(buffer.AsMemory(0, count));
        }
    }

    private async Task DownAsync(NetworkStream server, NetworkStream client)
    {
        var buffer = new byte[4096];
        for (var sent = 0L; await server.ReadAsync(buffer) is var count and > 0 && sent < CutAfter; sent += count)
            await client.WriteAsync(buffer.AsMemory(0, count));
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
    }
}
