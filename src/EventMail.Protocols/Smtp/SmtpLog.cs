using System.Net.Security;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Smtp;

/// <summary>What SMTP and LMTP sessions log: envelopes and outcomes, never a body.</summary>
internal static partial class SmtpLog
{
    [LoggerMessage(Level = LogLevel.Debug, Message =
        "{protocol} session {sessionId} of {clientIp} begins on port {port} ({connectionId}, TLS {tlsActive})")]
    public static partial void SessionStarted(
        this ILogger log, string protocol, int port, string clientIp, string connectionId, string sessionId, bool tlsActive);

    [LoggerMessage(Level = LogLevel.Debug, Message =
        "SMTP session {sessionId} of {clientIp} is over after {durationMs} ms, {transactions} transactions ({connectionId})")]
    public static partial void SessionClosed(
        this ILogger log, string connectionId, string sessionId, string clientIp, int transactions, long durationMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "SMTP session {sessionId} of {clientIp} ended: {reply} ({connectionId})")]
    public static partial void SessionEnded(this ILogger log, string connectionId, string sessionId, string clientIp, string reply);

    [LoggerMessage(Level = LogLevel.Debug, Message = "SMTP command {command} from {clientIp} ({connectionId}, session {sessionId})")]
    public static partial void CommandReceived(this ILogger log, string connectionId, string sessionId, string clientIp, string command);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "SMTP {command} from {clientIp} refused: {reply} ({connectionId}, session {sessionId})")]
    public static partial void CommandRefused(
        this ILogger log, string connectionId, string sessionId, string clientIp, string command, string reply);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "SMTP authentication successful: {username} from {clientIp} with {authMethod} ({connectionId}, session {sessionId})")]
    public static partial void LoggedIn(
        this ILogger log, string connectionId, string sessionId, string clientIp, string username, string authMethod);

    // A name that was typed may be a password: the line of EventMail.Logins has what is fit to be told of it.
    [LoggerMessage(Level = LogLevel.Warning, Message =
        "SMTP authentication failed from {clientIp} with {authMethod}: {errorCode} ({connectionId}, session {sessionId})")]
    public static partial void LoginFailed(
        this ILogger log, string connectionId, string sessionId, string clientIp, string authMethod, int errorCode);

    [LoggerMessage(Level = LogLevel.Error, Message = "SMTP {command} from {clientIp} failed ({connectionId}, session {sessionId})")]
    public static partial void CommandFailed(
        this ILogger log, Exception error, string connectionId, string sessionId, string clientIp, string command);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "Message accepted for delivery: {transactionId} {messageId} from <{from}> to {recipientsCount} recipients, {sizeBytes} bytes, durable after {durationMs} ms ({clientIp}, {connectionId}, session {sessionId})")]
    public static partial void MessageAccepted(
        this ILogger log, string connectionId, string sessionId, string clientIp, string transactionId, string? messageId, string from,
        int recipientsCount, long sizeBytes, long durationMs);

    [LoggerMessage(Level = LogLevel.Error, Message = "Message {transactionId} from {clientIp} could not be stored ({connectionId}, session {sessionId})")]
    public static partial void DeliveryFailed(
        this ILogger log, Exception error, string connectionId, string sessionId, string clientIp, string transactionId);

    [LoggerMessage(Level = LogLevel.Error, Message = "A message from {clientIp} could not be written ({connectionId}, session {sessionId})")]
    public static partial void StoringFailed(this ILogger log, Exception error, string connectionId, string sessionId, string clientIp);

    [LoggerMessage(Level = LogLevel.Trace, Message =
        "STARTTLS with {clientIp}: {tlsVersion} {cipherSuite} ({connectionId}, session {sessionId})")]
    public static partial void TlsStarted(
        this ILogger log, string connectionId, string sessionId, string clientIp, TlsCipherSuite cipherSuite, SslProtocols tlsVersion);

    [LoggerMessage(Level = LogLevel.Information, Message = "STARTTLS with {clientIp} failed ({connectionId}, session {sessionId})")]
    public static partial void HandshakeFailed(this ILogger log, Exception error, string connectionId, string sessionId, string clientIp);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "Rate limit exceeded by {clientIp} (SMTP): commands are held back ({connectionId}, session {sessionId})")]
    public static partial void RateLimited(this ILogger log, string connectionId, string sessionId, string clientIp);

    [LoggerMessage(LogLevel.Information, "Fault {rule} strikes at {stage} ({connectionId}, session {sessionId}, client_ip {clientIp})")]
    public static partial void FaultStruck(this ILogger log, string connectionId, string sessionId, string clientIp, string rule, string stage);
}
