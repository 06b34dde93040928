using Microsoft.Extensions.Logging;

namespace EventMail.Host.Delivery;

/// <summary>What the delivery agent logs: envelopes and outcomes, never a body.</summary>
internal static partial class DeliveryLog
{
    [LoggerMessage(Level = LogLevel.Information, Message =
        "Delivered {messageId} from <{sender}> to {recipient} by {host}: {reply} (delivery {deliveryId}, retry {retryCount}, TLS {tls}, status {status}, {durationMs} ms, {totalDurationMs} ms since submitted)")]
    public static partial void Delivered(
        this ILogger log, Guid deliveryId, string? messageId, string sender, string recipient, string? host, string reply, string tls,
        int retryCount, string status, long durationMs, long totalDurationMs);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "Deferred {messageId} from <{sender}> to {recipients} until {nextRetry}: {errorMsg} (delivery {deliveryId}, retry {retryCount}, status {status}, {durationMs} ms)")]
    public static partial void Deferred(
        this ILogger log, Guid deliveryId, string? messageId, string sender, string[] recipients, int retryCount, DateTimeOffset nextRetry,
        string errorMsg, string status, long durationMs);

    [LoggerMessage(Level = LogLevel.Error, Message =
        "Failed for good: {messageId} from <{sender}> to {recipients}: {errorMsg} (delivery {deliveryId}, retry {retryCount}, status {status}, {durationMs} ms)")]
    public static partial void Failed(
        this ILogger log, Guid deliveryId, string? messageId, string sender, string[] recipients, int retryCount, string errorMsg, string status,
        long durationMs);

    [LoggerMessage(Level = LogLevel.Debug, Message =
        "Retry of {messageId} in {calculatedDelay}, at {nextRetryTime} (delivery {deliveryId}, retry {retryCount})")]
    public static partial void RetryCalculated(
        this ILogger log, Guid deliveryId, string? messageId, int retryCount, TimeSpan calculatedDelay, DateTimeOffset nextRetryTime);

    [LoggerMessage(Level = LogLevel.Trace, Message =
        "Queue: {itemsProcessed} claimed in {processingDurationMs} ms, {itemsPending} wait, {itemsRunning} under way")]
    public static partial void QueueProcessed(this ILogger log, int itemsPending, int itemsRunning, int itemsProcessed, long processingDurationMs);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Delivery {deliveryId} to {domain} is not begun: {reason}")]
    public static partial void NotBegun(this ILogger log, Guid deliveryId, string domain, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Delivery {deliveryId} to {domain} is no longer ours: it is cut off")]
    public static partial void LeaseLost(this ILogger log, Guid deliveryId, string domain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The claim of delivery {deliveryId} to {domain} could not be renewed; trying again")]
    public static partial void RenewalFailed(this ILogger log, Exception error, Guid deliveryId, string domain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{rows} deliveries could not be given back: their claims end by themselves")]
    public static partial void ReturnFailed(this ILogger log, Exception error, int rows);

    [LoggerMessage(Level = LogLevel.Error, Message = "Delivery {deliveryId} to {domain} failed by a fault of ours")]
    public static partial void AttemptFailed(this ILogger log, Exception error, Guid deliveryId, string domain);

    [LoggerMessage(Level = LogLevel.Error, Message = "The outcome of delivery {deliveryId} to {domain} could not be written; trying again")]
    public static partial void RecordingFailed(this ILogger log, Exception error, Guid deliveryId, string domain);

    [LoggerMessage(Level = LogLevel.Error, Message = "The outcome of delivery {deliveryId} to {domain} is not written: the server stops")]
    public static partial void OutcomeLost(this ILogger log, Guid deliveryId, string domain);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The MTA-STS policy of {domain}, which is being tested, would not allow {host}: {problem}")]
    public static partial void PolicyWouldRefuse(this ILogger log, string domain, string host, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "The queue could not be read; trying again in {waitMs} ms")]
    public static partial void ClaimFailed(this ILogger log, Exception error, long waitMs);

    [LoggerMessage(Level = LogLevel.Information, Message =
        "Delivery agent started as {hostname}: port {port}, {concurrency} transactions at a time, {perDestination} with one destination{smarthost}")]
    public static partial void AgentStarted(this ILogger log, string hostname, int port, int concurrency, int perDestination, string smarthost);

    [LoggerMessage(Level = LogLevel.Information, Message = "Delivery agent stopped: {returned} messages given back, {cutOff} transactions cut off, after {totalDurationMs} ms")]
    public static partial void AgentStopped(this ILogger log, int returned, int cutOff, long totalDurationMs);
}
