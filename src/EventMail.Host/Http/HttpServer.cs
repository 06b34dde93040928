using System.Net;
using System.Net.Security;
using EventMail.Host.Configuration;
using EventMail.Host.Listeners;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Http;

/// <summary>One HTTP listener, on Kestrel. What it serves is mapped by its caller: a class for each resource, handlers that take the request as it is.</summary>
internal sealed class HttpServer : IAsyncDisposable
{
    /// <summary>Octets of a request's body: nobody has more to say here.</summary>
    public const int MaxRequest = 64 * 1024;

    private readonly WebApplication _app;

    private HttpServer(WebApplication app, IPEndPoint endPoint) => (_app, EndPoint) = (app, endPoint);

    /// <summary>With its real port.</summary>
    public IPEndPoint EndPoint { get; }

    /// <param name="key">The settings' section, for messages.</param>
    /// <param name="map">Maps the resources.</param>
    /// <param name="tls">The certificate for the name that the client asks for; null: in the clear.</param>
    /// <exception cref="SettingsException">The address or port cannot be had; says which and why.</exception>
    public static async Task<HttpServer> StartAsync(
        string key, ListenerSettings settings, HostGuard guard, Action<IEndpointRouteBuilder> map, ILoggerFactory logs, CancellationToken cancel,
        Func<string, SslServerAuthenticationOptions>? tls = null)
    {
        var wanted = new IPEndPoint(AddressOf(key, settings.Address), settings.Port.Number);
        var (byAddress, log) = (new ConnectionCounter(settings.MaxConnectionsPerAddress), logs.CreateLogger("EventMail.Http"));
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(logs).AddRoutingCore().AddSingleton<IHostLifetime, NoLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxRequest;
            kestrel.Limits.MaxConcurrentConnections = settings.MaxConnections;
            kestrel.Listen(wanted, listener =>
            {
                // Before TLS: who has too many is not worth a handshake.
                listener.Use(next => connection => CountedAsync(connection, next, key, byAddress, log));
                if (tls is not null)
                    listener.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = hello => ValueTask.FromResult(tls(hello.ClientHelloInfo.ServerName)) });
            });
        });
        if (tls is not null)
            builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        Use(app, guard, map);
        try
        {
            await app.StartAsync(cancel);
        }
        catch (IOException error)
        {
            await app.DisposeAsync();
            throw new SettingsException($"The HTTP listener cannot be opened on {wanted}: {error.Message} Choose another port (--set {key}:Port=N) or close it (--set {key}:Port=off).");
        }
        var url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new(app, new(wanted.Address, new Uri(url).Port));
    }

    /// <summary>What a request passes through, whatever carries it.</summary>
    internal static void Use(IApplicationBuilder app, HostGuard guard, Action<IEndpointRouteBuilder> map)
    {
        app.Use(guard.RunAsync);
        app.Use(Problem.FillAsync);
        app.UseRouting();
        app.UseEndpoints(map);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    /// <summary>Takes no more requests and waits for those under way, a moment.</summary>
    public async Task StopAsync(CancellationToken atOnce)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(atOnce);
        patience.CancelAfter(TimeSpan.FromSeconds(5));
        await _app.StopAsync(patience.Token);
    }

    private static async Task CountedAsync(ConnectionContext connection, ConnectionDelegate next, string listener, ConnectionCounter byAddress, ILogger log)
    {
        var client = (connection.RemoteEndPoint as IPEndPoint)?.Address is { } address ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : IPAddress.None;
        if (!byAddress.TryEnter(client))
        {
            log.AddressLimitReached(listener, (connection.LocalEndPoint as IPEndPoint)?.Port ?? 0, client, byAddress.Limit);
            connection.Abort();
            return;
        }
        try
        {
            await next(connection);
        }
        finally
        {
            byAddress.Leave(client);
        }
    }

    private static IPAddress AddressOf(string key, string address) => address switch
    {
        "*" => IPAddress.IPv6Any,
        "localhost" => IPAddress.Loopback,
        _ => IPAddress.TryParse(address, out var ip)
            ? ip
            : throw new SettingsException($"{key}:Address is '{address}': write an IPv4 or IPv6 address, localhost, or * for all."),
    };

    // Signals are the program's own.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
