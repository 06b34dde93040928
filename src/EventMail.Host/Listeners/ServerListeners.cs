using System.Net;
using System.Net.Sockets;
using EventMail.Host.Configuration;
using EventMail.Protocols.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EventMail.Host.Listeners;

/// <summary>All TCP listeners of the server, on Kestrel's socket transport.</summary>
public sealed class ServerListeners
{
    // What one slow session may have waiting: enough to keep a fast client's window open. What it is sent waits for the client, and
    // each stop costs two changes of threads: a mailbox is downloaded faster with more.
    private const long MaxReceivedBytes = 128 * 1024;
    private const long MaxSentBytes = 512 * 1024;

    private readonly List<Listener> _listeners;
    private readonly CancellationTokenSource _stopping;
    private Task? _stopped;

    private ServerListeners(List<Listener> listeners, WireTraces traces, CancellationTokenSource stopping) =>
        (_listeners, Traces, _stopping) = (listeners, traces, stopping);

    /// <summary>Switches traces of connections on and off.</summary>
    public WireTraces Traces { get; }

    /// <summary>`smtp=127.0.0.1:1025 imap=127.0.0.1:1143`: each open listener with its real port.</summary>
    public string Addresses => string.Join(' ', _listeners.Select(listener => $"{listener.Name}={listener.EndPoint}"));

    /// <summary>Where the listeners of a name are, with their real ports.</summary>
    public IReadOnlyList<IPEndPoint> EndPointsOf(string name) =>
        [.. _listeners.Where(listener => listener.Name == name).Select(listener => listener.EndPoint)];

    /// <summary>All that are open now.</summary>
    public IEnumerable<MailConnection> Connections => _listeners.SelectMany(listener => listener.Open);

    /// <summary>Connections by listener, now.</summary>
    public IEnumerable<(string Name, int Connections)> Counts => _listeners.Select(listener => (listener.Name, listener.Connections));

    /// <summary>Opens every listener of the table that is not off; all of them or none.</summary>
    /// <param name="allowPlaintextLogin">Clients of this machine may send passwords without TLS.</param>
    /// <param name="fromAnywhere">So may all others: capture mode, whose passwords are nobody's.</param>
    /// <exception cref="SettingsException">An address or port cannot be had; says which and why.</exception>
    public static async Task<ServerListeners> OpenAsync(
        IEnumerable<ListenerSpec> table, ServerTls tls, bool allowPlaintextLogin, ILoggerFactory logs, bool fromAnywhere = false)
    {
        var log = logs.CreateLogger("EventMail.Listeners");
        var stopping = new CancellationTokenSource();
        var context = new ListenerContext(tls, allowPlaintextLogin, fromAnywhere, log, new(logs.CreateLogger("EventMail.Wire")), stopping.Token);
        var factory = new SocketTransportFactory(Options.Create(TransportOptions()), logs);
        var opened = new List<(ListenerSpec Spec, IConnectionListener Transport)>();
        try
        {
            foreach (var spec in table.Where(spec => spec.Settings.Port.IsOn))
                opened.Add((spec, await BindAsync(factory, spec)));
        }
        catch
        {
            foreach (var (_, transport) in opened)
                await transport.DisposeAsync();
            throw;
        }
        foreach (var (spec, transport) in opened)
            log.ListenerStarted(spec.Name, (IPEndPoint)transport.EndPoint, spec.ImplicitTls, spec.Settings.MaxConnections);
        return new(opened.ConvertAll(pair => new Listener(pair.Spec, pair.Transport, context)), context.Traces, stopping);
    }

    /// <summary>
    /// Closes the ports at once and the sessions when they are done, at the latest after each listener's StopTimeout, or
    /// when <paramref name="atOnce"/> fires.
    /// </summary>
    public Task StopAsync(CancellationToken atOnce)
    {
        return _stopped ??= StopAllAsync();

        async Task StopAllAsync()
        {
            // Nobody who is told of the end finds a port open.
            await Task.WhenAll(_listeners.Select(listener => listener.CloseAsync()));
            await _stopping.CancelAsync();
            await Task.WhenAll(_listeners.Select(listener => listener.StopAsync(atOnce)));
        }
    }

    private static SocketTransportOptions TransportOptions()
    {
        var options = new SocketTransportOptions { NoDelay = true, MaxReadBufferSize = MaxReceivedBytes, MaxWriteBufferSize = MaxSentBytes };
        options.CreateBoundListenSocket = endpoint =>
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            // Accepted sockets inherit it: a client that vanished is noticed also where the idle time-out is long.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 300);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 60);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 5);
            return socket;
        };
        return options;
    }

    private static async Task<IConnectionListener> BindAsync(SocketTransportFactory factory, ListenerSpec spec)
    {
        var (key, address, port) = (spec.Name, spec.Settings.Address, spec.Settings.Port.Number);
        var endpoint = address switch
        {
            // A dual-stack socket: IPv4 clients arrive as mapped addresses.
            "*" => new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, port),
            "localhost" => new IPEndPoint(IPAddress.Loopback, port),
            _ => IPAddress.TryParse(address, out var ip)
                ? new IPEndPoint(ip, port)
                : throw new SettingsException($"{key}:Address is '{address}': write an IPv4 or IPv6 address, localhost, or * for all."),
        };
        try
        {
            return await factory.BindAsync(endpoint);
        }
        catch (AddressInUseException)
        {
            throw new SettingsException(
                $"Port {port} on {address} is in use by another program; the {key} listener needs it. Stop that program, choose another port (--set {key}:Port=N), or close the listener (--set {key}:Port=off).");
        }
        catch (SocketException error)
        {
            var advice = error.SocketErrorCode == SocketError.AccessDenied && port is > 0 and < 1024
                ? " Ports below 1024 need root or CAP_NET_BIND_SERVICE."
                : "";
            throw new SettingsException($"The {key} listener cannot be opened on {endpoint}: {error.Message}.{advice}");
        }
    }
}
