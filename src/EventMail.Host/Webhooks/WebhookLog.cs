using Microsoft.Extensions.Logging;

namespace EventMail.Host.Webhooks;

internal static partial class WebhookLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhook {url}: attempt {attempt} at event {position} failed: {reason}")]
    public static partial void Failed(this ILogger log, string url, int attempt, long position, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Webhook {url}: event {position} is a dead letter after {attempts} attempts; `eventmail webhook dead` shows it")]
    public static partial void Buried(this ILogger log, string url, long position, int attempts);

    [LoggerMessage(Level = LogLevel.Error, Message = "Webhook {id}: its secret was encrypted with another data folder's key; remove it and add it anew")]
    public static partial void SecretUnreadable(this ILogger log, string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhooks stopped and begin anew in a moment")]
    public static partial void Interrupted(this ILogger log, Exception error);
}
