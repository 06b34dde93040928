using Microsoft.Extensions.Logging;

namespace EventMail.Host.Capture;

internal static partial class CaptureLog
{
    [LoggerMessage(LogLevel.Warning, "CAPTURE MODE: any password is right, nothing leaves this server, everybody who reaches it may read everything (data {folder})")]
    public static partial void Capturing(this ILogger log, string folder);

    [LoggerMessage(LogLevel.Warning, "The data folder {folder} could not be deleted")]
    public static partial void NotDeleted(this ILogger log, Exception error, string folder);

    [LoggerMessage(LogLevel.Information, "The folder {folder} of a capturing server that was killed is removed, and its PostgreSQL ended")]
    public static partial void LeftoverRemoved(this ILogger log, string folder);

    [LoggerMessage(LogLevel.Error, "The oldest messages could not be taken out")]
    public static partial void RetentionFailed(this ILogger log, Exception error);

    [LoggerMessage(LogLevel.Warning, "Webhook {url}: attempt {attempt} with message {message} failed: {reason}")]
    public static partial void WebhookFailed(this ILogger log, string url, int attempt, long message, string reason);

    [LoggerMessage(LogLevel.Error, "Webhook {url} has not taken message {message} in {attempts} attempts: given up")]
    public static partial void WebhookGaveUp(this ILogger log, string url, long message, int attempts);

    [LoggerMessage(LogLevel.Error, "Webhook {url} is too slow: {count} messages were passed over")]
    public static partial void WebhookPassedOver(this ILogger log, string url, int count);
}
