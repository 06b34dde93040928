using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Wire;

/// <summary>Which connections are traced; the members that are null match any.</summary>
public sealed record WireTraceFilter(string? ConnectionId = null, string? Listener = null, IPAddress? Client = null)
{
    public bool Matches(ConnectionDetails details) =>
        (ConnectionId is null || ConnectionId == details.Id)
        && (Listener is null || Listener == details.Listener)
        && (Client is null || Client.Equals(details.ClientAddress));
}

/// <summary>
/// Switches wire traces on and off while the server runs, for connections that are open and for those to come. What is traced
/// goes to the log at level Information (asking for it was explicit), with connection_id and redacted. Thread-safe.
/// </summary>
public sealed class WireTraces(ILogger log)
{
    private readonly ConcurrentDictionary<MailConnection, byte> _connections = new();
    private readonly ConcurrentDictionary<WireTraceFilter, byte> _filters = new();

    public IReadOnlyCollection<WireTraceFilter> Active => [.. _filters.Keys];

    public void Start(WireTraceFilter filter)
    {
        _filters[filter] = 0;
        Apply();
    }

    /// <returns>False when there was no such trace.</returns>
    public bool Stop(WireTraceFilter filter)
    {
        var removed = _filters.TryRemove(filter, out _);
        Apply();
        return removed;
    }

    internal void Attach(MailConnection connection)
    {
        _connections[connection] = 0;
        Apply(connection);
    }

    internal void Detach(MailConnection connection) => _connections.TryRemove(connection, out _);

    private void Apply()
    {
        foreach (var (connection, _) in _connections)
        {
            Apply(connection);
        }
    }

    private void Apply(MailConnection connection)
    {
        var wanted = !_filters.IsEmpty && _filters.Keys.Any(filter => filter.Matches(connection.Details));
        if (wanted != connection.Trace is not null)
        {
            connection.Trace = wanted ? new WireTrace(log, connection.Details) : null;
        }
    }
}
