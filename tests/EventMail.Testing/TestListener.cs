using System.Net;
using EventMail.Protocols.Wire;
using EventMail.Testing.Transcripts;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace EventMail.Testing;

/// <summary>A protocol handler behind a real Kestrel socket on a free loopback port.</summary>
public sealed class TestListener : IAsyncDisposable
{
    private readonly KestrelServer _server;

    private TestListener(KestrelServer server, int port) => (_server, Port) = (server, port);

    public int Port { get; }

    public static async Task<TestListener> StartAsync(Func<MailConnection, Task> serve, ServerTls? tls = null, string listener = "test")
    {
        var options = new KestrelServerOptions();
        options.Listen(IPAddress.Loopback, 0, listen => listen.Use(_ => context => ServeAsync(context, serve, tls, listener)));
        var sockets = new SocketTransportFactory(Options.Create(new SocketTransportOptions { NoDelay = true }), NullLoggerFactory.Instance);
        var server = new KestrelServer(Options.Create(options), sockets, NullLoggerFactory.Instance);
        await server.StartAsync(new NoHttp(), CancellationToken.None);
        var address = server.Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new(server, new Uri(address).Port);
    }

    public Task<ScriptedClient> ConnectAsync() => ScriptedClient.ConnectAsync(Port);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _server.StopAsync(now.Token);
        _server.Dispose();
    }

    private static async Task ServeAsync(ConnectionContext context, Func<MailConnection, Task> serve, ServerTls? tls, string listener)
    {
        var details = new ConnectionDetails(context.ConnectionId, listener, (IPEndPoint)context.LocalEndPoint!, (IPEndPoint)context.RemoteEndPoint!);
        await using var connection = new MailConnection(context.Transport, details, tls, () => context.Abort(new ConnectionAbortedException()));
        await serve(connection);
    }

    private sealed class NoHttp : Microsoft.AspNetCore.Hosting.Server.IHttpApplication<object>
    {
        public object CreateContext(Microsoft.AspNetCore.Http.Features.IFeatureCollection contextFeatures) => contextFeatures;

        public Task ProcessRequestAsync(object context) => Task.CompletedTask;

        public void DisposeContext(object context, Exception? exception) { }
    }
}
