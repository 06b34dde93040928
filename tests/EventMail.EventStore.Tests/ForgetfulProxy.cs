using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace EventMail.EventStore.Tests;

/// <summary>
/// Stands between a node and PostgreSQL. On demand it passes on what one kind of connection sends, takes the server's whole answer
/// (the transaction has then committed) and breaks the connection instead of passing it back.
/// </summary>
internal sealed class ForgetfulProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly NpgsqlConnectionStringBuilder _server;
    private readonly byte[] _application;
    private readonly Task _accepting;
    private int _armed;

    public ForgetfulProxy(string connectionString, string application)
    {
        _server = new(connectionString);
        _application = Encoding.UTF8.GetBytes(application);
        _listener.Start();
        ConnectionString = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        }.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    public int Forgotten { get; private set; }

    public void ForgetNextAnswer() => Volatile.Write(ref _armed, 1);

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptSocketAsync());
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var _ = client;
        using var server = _server.Host!.StartsWith('/')
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        await server.ConnectAsync(_server.Host.StartsWith('/')
            ? new UnixDomainSocketEndPoint($"{_server.Host}/.s.PGSQL.{_server.Port}")
            : new DnsEndPoint(_server.Host, _server.Port));
        var ours = false;
        var forgetting = false;
        var up = PumpAsync(client, server, bytes =>
        {
            ours |= bytes.IndexOf(_application) >= 0;
            if (ours && Interlocked.Exchange(ref _armed, 0) == 1)
                forgetting = true;
            return true;
        });
        var down = PumpAsync(server, client, bytes =>
        {
            if (!forgetting)
                return true;
            // ReadyForQuery, idle: whatever was asked for is done.
            if (!bytes.EndsWith("Z\0\0\0\u0005I"u8))
                return false;
            Forgotten++;
            throw new IOException("forgotten");
        });
        await Task.WhenAny(up, down);
    }

    private delegate bool Look(ReadOnlySpan<byte> bytes);

    private static async Task PumpAsync(Socket from, Socket to, Look pass)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is var count and > 0)
                if (pass(buffer.AsSpan(0, count)))
                    await to.SendAsync(buffer.AsMemory(0, count));
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            // The connection ends.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
    }
}
