using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Authentication;
using EventMail.Protocols.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Listeners;

/// <summary>Accepts connections on one port, counts them, and ends them when the server stops.</summary>
internal sealed class Listener
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(30);

    // Between the cut and the end of the session's own code.
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(5);

    private readonly ListenerSpec _spec;
    private readonly IConnectionListener _transport;
    private readonly ListenerContext _context;
    private readonly ConcurrentDictionary<MailConnection, byte> _connections = new();
    private readonly ConnectionCounter _byAddress;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;
    private int _count;
    private long _completed;

    public Listener(ListenerSpec spec, IConnectionListener transport, ListenerContext context)
    {
        (_spec, _transport, _context) = (spec, transport, context);
        _byAddress = new(spec.Settings.MaxConnectionsPerAddress);
        _accepting = AcceptAsync();
    }

    public string Name => _spec.Name;
    public IPEndPoint EndPoint => (IPEndPoint)_transport.EndPoint;
    public int Connections => _connections.Count;
    public IEnumerable<MailConnection> Open => _connections.Keys;

    /// <summary>Closes the port.</summary>
    public async Task CloseAsync()
    {
        await _transport.UnbindAsync(CancellationToken.None);
        await _accepting;
    }

    /// <summary>Behind a closed port: lets the sessions finish, cuts off those that have not when their time is over.</summary>
    public async Task StopAsync(CancellationToken atOnce)
    {
        var started = Stopwatch.GetTimestamp();
        var before = Interlocked.Read(ref _completed);
        foreach (var connection in _connections.Keys)
            connection.Stop();

        // The listener itself counts as one from here on, so that the last session to leave is seen also when there is none.
        Interlocked.Increment(ref _count);
        Leave();
        await Task.WhenAny(_drained.Task, Task.Delay(_spec.StopTimeout, atOnce));
        foreach (var connection in _connections.Keys)
        {
            _context.Log.ConnectionCutOff(Name, connection.Details.Id, connection.Details.ClientAddress);
            connection.Abort();
        }
        await Task.WhenAny(_drained.Task, Task.Delay(AbortPatience, CancellationToken.None));
        await _transport.DisposeAsync();
        _context.Log.ListenerStopped(
            Name, Interlocked.Read(ref _completed) - before, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
    }

    private async Task AcceptAsync()
    {
        while (await _transport.AcceptAsync(CancellationToken.None) is { } transport)
        {
            var client = ClientOf(transport);
            if (Interlocked.Increment(ref _count) > _spec.Settings.MaxConnections)
            {
                Leave();
                _context.Log.ConnectionLimitReached(
                    Name, EndPoint.Port, _spec.Settings.MaxConnections, client, _spec.Settings.MaxConnections);
                _ = RefuseAsync(transport, _spec.TooManyConnections);
                continue;
            }
            if (!_byAddress.TryEnter(client))
            {
                Leave();
                _context.Log.AddressLimitReached(Name, EndPoint.Port, client, _spec.Settings.MaxConnectionsPerAddress);
                _ = RefuseAsync(transport, _spec.TooManyFromAddress);
                continue;
            }
            var details = new ConnectionDetails(
                ConnectionIds.Next(), Name, (IPEndPoint)transport.LocalEndPoint!, (IPEndPoint)transport.RemoteEndPoint!, _context.AllowPlaintextLogin)
            {
                PlaintextFromAnywhere = _context.FromAnywhere,
            };
            var connection = new MailConnection(transport.Transport, details, _context.Tls, transport.Abort, _context.Traces);
            _connections[connection] = 0;
            _ = Task.Run(() => ServeAsync(transport, connection));
        }
    }

    private static IPAddress ClientOf(ConnectionContext transport)
    {
        var address = ((IPEndPoint)transport.RemoteEndPoint!).Address;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private async Task RefuseAsync(ConnectionContext transport, ReadOnlyMemory<byte> reply)
    {
        await using (transport)
        {
            try
            {
                if (!_spec.ImplicitTls)
                    await transport.Transport.Output.WriteAsync(reply, CancellationToken.None);
                await transport.Transport.Output.CompleteAsync();
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or ConnectionAbortedException)
            {
                _context.Log.ConnectionLost(error, Name, ClientOf(transport), transport.ConnectionId);
            }
        }
    }

    private async Task ServeAsync(ConnectionContext transport, MailConnection connection)
    {
        var started = Stopwatch.GetTimestamp();
        var (id, client) = (connection.Details.Id, connection.Details.ClientAddress);
        _context.Log.ConnectionAccepted(Name, EndPoint.Port, client, id, _spec.ImplicitTls);
        try
        {
            if (_spec.ImplicitTls)
                await HandshakeAsync(connection);
            await _spec.Serve(connection, _context.Stopping);
        }
        catch (Exception error) when (error is IOException or AuthenticationException or OperationCanceledException or ConnectionAbortedException)
        {
            _context.Log.ConnectionLost(error, Name, client, id);
        }
        catch (Exception error)
        {
            // The last stop for a bug in a session: it costs this connection, not the server.
            _context.Log.ConnectionFailed(error, Name, client, id);
        }
        await EndAsync(transport, connection);
        _context.Log.ConnectionClosed(Name, client, id, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        _connections.TryRemove(connection, out _);
        _byAddress.Leave(client);
        Interlocked.Increment(ref _completed);
        Leave();
    }

    private async Task EndAsync(ConnectionContext transport, MailConnection connection)
    {
        try
        {
            await connection.DisposeAsync();
            await transport.DisposeAsync();
        }
        catch (Exception error)
        {
            // A connection that cannot even be closed in order must still be counted out.
            _context.Log.ConnectionFailed(error, Name, connection.Details.ClientAddress, connection.Details.Id);
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _count) == 0 && _context.Stopping.IsCancellationRequested)
            _drained.TrySetResult();
    }

    private async Task HandshakeAsync(MailConnection connection)
    {
        // A server that stops owes nothing to a client that has not said anything yet.
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_context.Stopping);
        timeout.CancelAfter(HandshakeTimeout);
        if (await connection.AcceptTlsAsync(timeout.Token) != TlsUpgrade.Done)
            throw new InvalidOperationException("Implicit TLS without certificates.");
    }
}
