using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Deliveries;

internal static partial class DeliveryLog
{
    [LoggerMessage(Level = LogLevel.Information, Message =
        "Queued {messageId} from <{sender}> for {recipientCount} recipients in {domainCount} domains (delivery {deliveryId}, priority {priority}, {sizeBytes} bytes)")]
    public static partial void Enqueued(
        this ILogger log, Guid deliveryId, string? messageId, string sender, int recipientCount, int domainCount, int priority, long sizeBytes);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "The copy of {messageId} for its sender's Sent mailbox is not kept: {reason} (delivery {deliveryId}, sender <{sender}>)")]
    public static partial void SentCopyMissing(this ILogger log, Guid deliveryId, string? messageId, string sender, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "A message of {sizeBytes} bytes from <{sender}> is refused: account {account} has as much waiting to be delivered as it may (Submission:MaxWaitingOctets, Submission:MaxWaitingMessages)")]
    public static partial void TooMuchWaiting(this ILogger log, string account, string sender, long sizeBytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {node} is gone: the {rows} deliveries that it had claimed are free")]
    public static partial void ClaimsFreed(this ILogger log, Guid node, int rows);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The queue could not be looked at; trying again")]
    public static partial void WatchFailed(this ILogger log, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Delivery {deliveryId} cannot be read; it is looked at again when its claim is over")]
    public static partial void DeliveryUnreadable(this ILogger log, Exception error, Guid deliveryId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Delivery {deliveryId} to {domain} could not be settled; it is looked at again when its claim is over")]
    public static partial void SettlingFailed(this ILogger log, Exception error, Guid deliveryId, string domain);

    [LoggerMessage(Level = LogLevel.Error, Message = "Delivery {deliveryId} could not be handed over; it is looked at again when its claim is over")]
    public static partial void NotHandedOver(this ILogger log, Exception error, Guid deliveryId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Content {number} of a message cannot be read: its sender is told of it without it")]
    public static partial void OriginalUnreadable(this ILogger log, Exception error, long number);
}
