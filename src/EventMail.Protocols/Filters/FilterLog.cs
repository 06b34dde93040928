using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Filters;

internal static partial class FilterLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The filter {filter} could not be asked about message {transactionId} from {clientIp}: {reason}")]
    public static partial void FilterUnavailable(this ILogger log, string filter, string transactionId, string clientIp, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The filter {filter} says of message {transactionId} from {clientIp}: {verdict}")]
    public static partial void Filtered(this ILogger log, string filter, string transactionId, string clientIp, string verdict);
}
