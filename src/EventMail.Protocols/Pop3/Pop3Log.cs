using System.Net;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Pop3;

/// <summary>A session's log lines: connection_id, session_id, client_ip, command, username, duration_ms …; never a password or a body.</summary>
internal sealed partial class Pop3Log(ILogger log, ConnectionDetails details)
{
    // One session on a connection: its id is the connection's.
    private readonly string _id = details.Id;
    private readonly IPAddress _client = details.ClientAddress;

    public void Command(string command)
    {
        if (log.IsEnabled(LogLevel.Debug))
        {
            CommandReceived(log, command, _client, _id, _id);
        }
    }

    public void LoggedIn(string username, string authMethod, int messages, long octets) =>
        LoginSucceeded(log, username, authMethod, _client, _id, _id, messages, octets);

    public void LoginRefused(string authMethod, string error) => LoginFailed(log, authMethod, error, _client, _id, _id);

    public void TooManyErrors(int errors) => ClosedForErrors(log, errors, _client, _id, _id);

    public void IdleTimeout(TimeSpan idle) => ClosedIdle(log, (long)idle.TotalSeconds, _client, _id, _id);

    public void TlsStarted(System.Security.Authentication.SslProtocols version, System.Net.Security.TlsCipherSuite cipher) =>
        StlsDone(log, version, cipher, _client, _id);

    public void PlaintextInjected() => StlsInjected(log, _client, _id);

    public void HandshakeFailed(Exception error) => StlsFailed(log, error, _client, _id);

    public void CommandFailed(Exception error) => Failed(log, error, _client, _id, _id);

    public void Limited(string? username) => RateLimited(log, username ?? "", _client, _id, _id);

    public void NotRemoved(string username, string error) => RemovalFailed(log, username, error, _client, _id, _id);

    public void NotMarkedSeen(string username, string error) => SeenFailed(log, username, error, _client, _id, _id);

    public void Ended(string username, SessionTotals totals) => SessionEnded(
        log, username, totals.Retrieved, totals.RetrievedOctets, totals.Removed, totals.DurationMs, _client, _id, _id);

    [LoggerMessage(Level = LogLevel.Debug, Message = "POP3 command received: {command} from {clientIp} ({connectionId}, {sessionId})")]
    private static partial void CommandReceived(ILogger log, string command, IPAddress clientIp, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "POP3 login of {username} by {authMethod} from {clientIp}: {messageCount} messages, {sizeBytes} bytes ({connectionId}, {sessionId})")]
    private static partial void LoginSucceeded(
        ILogger log, string username, string authMethod, IPAddress clientIp, string connectionId, string sessionId, int messageCount, long sizeBytes);

    // The name that was tried is in the login's event, where the operator finds it; here it could be a password typed too early.
    [LoggerMessage(Level = LogLevel.Warning, Message =
        "POP3 login failed by {authMethod} from {clientIp}: {errorCode} ({connectionId}, {sessionId})")]
    private static partial void LoginFailed(
        ILogger log, string authMethod, string errorCode, IPAddress clientIp, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "POP3 client {clientIp} closed after {errors} bad commands ({connectionId}, {sessionId})")]
    private static partial void ClosedForErrors(ILogger log, int errors, IPAddress clientIp, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "POP3 client {clientIp} closed after {idleDuration} s of silence ({connectionId}, {sessionId})")]
    private static partial void ClosedIdle(ILogger log, long idleDuration, IPAddress clientIp, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Trace, Message = "POP3 STLS completed: {tlsVersion} {cipherSuite} with {clientIp} ({connectionId})")]
    private static partial void StlsDone(
        ILogger log, System.Security.Authentication.SslProtocols tlsVersion, System.Net.Security.TlsCipherSuite cipherSuite,
        IPAddress clientIp, string connectionId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "POP3 client {clientIp} sent plaintext behind STLS and was closed ({connectionId})")]
    private static partial void StlsInjected(ILogger log, IPAddress clientIp, string connectionId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "POP3 STLS with {clientIp} failed ({connectionId})")]
    private static partial void StlsFailed(ILogger log, Exception error, IPAddress clientIp, string connectionId);

    [LoggerMessage(Level = LogLevel.Error, Message = "POP3 command of {clientIp} failed ({connectionId}, {sessionId})")]
    private static partial void Failed(ILogger log, Exception error, IPAddress clientIp, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "Rate limit exceeded by {clientIp} (POP3 user {username}): commands are held back ({connectionId}, {sessionId})")]
    private static partial void RateLimited(ILogger log, string username, IPAddress clientIp, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Error, Message =
        "POP3 deletions of {username} from {clientIp} were not carried out: {errorCode} ({connectionId}, {sessionId})")]
    private static partial void RemovalFailed(
        ILogger log, string username, string errorCode, IPAddress clientIp, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "POP3 retrieved messages of {username} from {clientIp} were not marked as seen: {errorCode} ({connectionId}, {sessionId})")]
    private static partial void SeenFailed(
        ILogger log, string username, string errorCode, IPAddress clientIp, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "POP3 session of {username} ended: {retrievedCount} retrieved, {sizeBytes} bytes, {removedCount} removed, {durationMs} ms ({clientIp}, {connectionId}, {sessionId})")]
    private static partial void SessionEnded(
        ILogger log, string username, int retrievedCount, long sizeBytes, long removedCount, long durationMs,
        IPAddress clientIp, string connectionId, string sessionId);
}
