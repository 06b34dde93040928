using System.Net;
using System.Net.Sockets;
using EventMail.Host.Configuration;
using EventMail.Host.Http;
using EventMail.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Host.Tests.Http;

/// <summary>The HTTP listener's own limits, on real connections.</summary>
public sealed class HttpLimitTests
{
    [OwnAddressTheory]
    [InlineData(2)]
    public async Task One_address_cannot_take_all_connections(int limit)
    {
        var settings = new HttpSettings { Port = 0, Tls = "off", Address = OwnAddressTheoryAttribute.Own!.ToString(), MaxConnectionsPerAddress = limit };
        await using var server = await HttpServer.StartAsync(
            "Http", settings, new([], anyAddress: true), routes => routes.MapGet("/", context => context.Response.WriteAsync("here")), NullLoggerFactory.Instance, default);
        using var first = await ConnectAsync(server.EndPoint);
        using var second = await ConnectAsync(server.EndPoint);
        (await AskAsync(first, server.EndPoint)).ShouldStartWith("HTTP/1.1 200");
        (await AskAsync(second, server.EndPoint)).ShouldStartWith("HTTP/1.1 200");
        (await TryAsync(server.EndPoint)).ShouldBe("");
        first.Dispose();
        // The next is served as soon as the one that left is counted out.
        for (var answer = ""; answer.Length == 0; await Task.Delay(20))
            answer = await TryAsync(server.EndPoint);
    }

    // One that is refused may be gone before it is known to be there.
    private static async Task<string> TryAsync(IPEndPoint server)
    {
        try
        {
            using var client = await ConnectAsync(server);
            return await AskAsync(client, server);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return "";
        }
    }

    private static async Task<TcpClient> ConnectAsync(IPEndPoint server)
    {
        var client = new TcpClient();
        await client.ConnectAsync(server);
        return client;
    }

    // The first octets of the answer; none when the connection was closed.
    private static async Task<string> AskAsync(TcpClient client, IPEndPoint server)
    {
        try
        {
            var stream = client.GetStream();
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {server}\r\n\r\n"));
            var buffer = new byte[4096];
            return System.Text.Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer).AsTask().InTime());
        }
        catch (IOException)
        {
            return "";
        }
    }
}
