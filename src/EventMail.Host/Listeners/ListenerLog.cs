using System.Net;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Listeners;

internal static partial class ListenerLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{listener} server started on {address} (tls_enabled {tlsEnabled}, at most {maxConnections} connections)")]
    public static partial void ListenerStarted(this ILogger log, string listener, IPEndPoint address, bool tlsEnabled, int maxConnections);

    [LoggerMessage(Level = LogLevel.Information, Message = "{protocol} connection accepted from {clientIp} on port {port} ({connectionId}, TLS {tlsActive})")]
    public static partial void ConnectionAccepted(this ILogger log, string protocol, int port, IPAddress clientIp, string connectionId, bool tlsActive);

    [LoggerMessage(Level = LogLevel.Information, Message = "{protocol} connection from {clientIp} closed after {durationMs} ms ({connectionId})")]
    public static partial void ConnectionClosed(this ILogger log, string protocol, IPAddress clientIp, string connectionId, long durationMs);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{protocol} connection from {clientIp} was lost ({connectionId})")]
    public static partial void ConnectionLost(this ILogger log, Exception error, string protocol, IPAddress clientIp, string connectionId);

    [LoggerMessage(Level = LogLevel.Error, Message = "{protocol} session of {clientIp} failed ({connectionId})")]
    public static partial void ConnectionFailed(this ILogger log, Exception error, string protocol, IPAddress clientIp, string connectionId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{protocol} session of {clientIp} was cut off: the server stops ({connectionId})")]
    public static partial void ConnectionCutOff(this ILogger log, string protocol, string connectionId, IPAddress clientIp);

    [LoggerMessage(Level = LogLevel.Error, Message =
        "{protocol} connection limit reached on port {port}: {currentConnections} connections, {rejectedIp} rejected (limit {maxConnections})")]
    public static partial void ConnectionLimitReached(
        this ILogger log, string protocol, int port, int currentConnections, IPAddress rejectedIp, int maxConnections);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "{protocol}: {clientIp} has {maxConnections} connections on port {port}, one more rejected")]
    public static partial void AddressLimitReached(this ILogger log, string protocol, int port, IPAddress clientIp, int maxConnections);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "{listener} server shutdown: {activeSessionsCompleted} active sessions completed in {totalDurationMs} ms")]
    public static partial void ListenerStopped(this ILogger log, string listener, long activeSessionsCompleted, long totalDurationMs);
}
