using System.Net;
using EventMail.Protocols.Imap.Responses;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Imap;

/// <summary>What IMAP sessions write to the log. Never an argument of a command: it could be a credential or a search for one.</summary>
internal static partial class ImapLog
{
    public static void CommandDone(
        this ILogger log, MailConnection connection, string command, string? mailbox, ReplyKind reply, TimeSpan duration)
    {
        if (log.IsEnabled(LogLevel.Debug))
            CommandDone(log, command, mailbox, reply, (long)duration.TotalMilliseconds, Id(connection), Id(connection), Ip(connection));
    }

    public static void CommandFailed(this ILogger log, Exception error, MailConnection connection, string command) =>
        CommandFailed(log, error, command, Id(connection), Id(connection), Ip(connection));

    public static void LoggedIn(this ILogger log, MailConnection connection, string username, string authMethod, TimeSpan duration) =>
        LoggedIn(log, username, authMethod, (long)duration.TotalMilliseconds, Id(connection), Id(connection), Ip(connection));

    public static void LoginFailed(this ILogger log, MailConnection connection, string authMethod, string errorCode) =>
        LoginFailed(log, authMethod, errorCode, Id(connection), Id(connection), Ip(connection));

    public static void IdleEntered(this ILogger log, MailConnection connection, string? mailbox, TimeSpan heartbeatInterval) =>
        IdleEntered(log, mailbox, heartbeatInterval, Id(connection), Id(connection));

    public static void IdleNotified(this ILogger log, MailConnection connection, string @event, int messageCount) =>
        IdleNotified(log, @event, messageCount, Id(connection), Id(connection));

    public static void IdleTimeout(this ILogger log, MailConnection connection, TimeSpan idleDuration) =>
        IdleTimeout(log, idleDuration, Id(connection), Id(connection), Ip(connection));

    public static void TlsStarted(this ILogger log, MailConnection connection)
    {
        if (log.IsEnabled(LogLevel.Trace) && connection.Ssl is { } ssl)
            TlsStarted(log, ssl.NegotiatedCipherSuite.ToString(), ssl.SslProtocol.ToString(), Id(connection), Ip(connection));
    }

    public static void HandshakeFailed(this ILogger log, Exception error, MailConnection connection) =>
        HandshakeFailed(log, error, Id(connection), Ip(connection));

    public static void MessageAppended(this ILogger log, MailConnection connection, string mailbox, string? messageId, long sizeBytes) =>
        MessageAppended(log, mailbox, messageId, sizeBytes, Id(connection), Id(connection));

    public static void TooManyErrors(this ILogger log, MailConnection connection, int errors) =>
        TooManyErrors(log, errors, Id(connection), Id(connection), Ip(connection));

    public static void RateLimited(this ILogger log, MailConnection connection, string? username) =>
        RateLimited(log, username, Id(connection), Id(connection), Ip(connection));

    private static string Id(MailConnection connection) => connection.Details.Id;

    private static IPAddress Ip(MailConnection connection) => connection.Details.ClientAddress;

    [LoggerMessage(Level = LogLevel.Debug, Message =
        "IMAP {command} {reply} after {durationMs} ms, mailbox {mailbox} ({connectionId}, session {sessionId}, client {clientIp})")]
    private static partial void CommandDone(
        ILogger log, string command, string? mailbox, ReplyKind reply, long durationMs, string connectionId, string sessionId, IPAddress clientIp);

    [LoggerMessage(Level = LogLevel.Error, Message = "IMAP {command} failed ({connectionId}, session {sessionId}, client {clientIp})")]
    private static partial void CommandFailed(
        ILogger log, Exception error, string command, string connectionId, string sessionId, IPAddress clientIp);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "IMAP authentication successful: {username} by {authMethod} in {durationMs} ms ({connectionId}, session {sessionId}, client {clientIp})")]
    private static partial void LoggedIn(
        ILogger log, string username, string authMethod, long durationMs, string connectionId, string sessionId, IPAddress clientIp);

    // The name that was tried is in the login's event, where the operator finds it; here it could be a password typed too early.
    [LoggerMessage(Level = LogLevel.Warning, Message =
        "IMAP authentication failed: {authMethod}, {errorCode} ({connectionId}, session {sessionId}, client {clientIp})")]
    private static partial void LoginFailed(
        ILogger log, string authMethod, string errorCode, string connectionId, string sessionId, IPAddress clientIp);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "IMAP IDLE mode entered: mailbox {mailbox}, heartbeat {heartbeatInterval} ({connectionId}, session {sessionId})")]
    private static partial void IdleEntered(ILogger log, string? mailbox, TimeSpan heartbeatInterval, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Debug, Message =
        "IMAP IDLE notification: {event}, {messageCount} messages ({connectionId}, session {sessionId})")]
    private static partial void IdleNotified(ILogger log, string @event, int messageCount, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "IMAP idle timeout after {idleDuration} ({connectionId}, session {sessionId}, client {clientIp})")]
    private static partial void IdleTimeout(ILogger log, TimeSpan idleDuration, string connectionId, string sessionId, IPAddress clientIp);

    [LoggerMessage(Level = LogLevel.Trace, Message = "STARTTLS completed: {cipherSuite}, {tlsVersion} ({connectionId}, client {clientIp})")]
    private static partial void TlsStarted(ILogger log, string cipherSuite, string tlsVersion, string connectionId, IPAddress clientIp);

    // Scanners and old clients fail here all day.
    [LoggerMessage(Level = LogLevel.Debug, Message = "IMAP STARTTLS with {clientIp} failed ({connectionId})")]
    private static partial void HandshakeFailed(ILogger log, Exception error, string connectionId, IPAddress clientIp);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "IMAP APPEND to {mailbox}: message {messageId}, {sizeBytes} bytes ({connectionId}, session {sessionId})")]
    private static partial void MessageAppended(
        ILogger log, string mailbox, string? messageId, long sizeBytes, string connectionId, string sessionId);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "IMAP session closed after {errors} bad commands ({connectionId}, session {sessionId}, client {clientIp})")]
    private static partial void TooManyErrors(ILogger log, int errors, string connectionId, string sessionId, IPAddress clientIp);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "IMAP rate limit exceeded by {username} ({connectionId}, session {sessionId}, client {clientIp})")]
    private static partial void RateLimited(ILogger log, string? username, string connectionId, string sessionId, IPAddress clientIp);
}
