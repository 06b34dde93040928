using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Deliveries;

internal static partial class DeliveryLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {node} is gone: the {rows} deliveries that it had claimed are free")]
    public static partial void ClaimsFreed(this ILogger log, Guid node, int rows);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The queue could not be looked at; trying again")]
    public static partial void WatchFailed(this ILogger log, Exception error);
}
