using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.MailAuth;

internal static partial class MailAuthLog
{
    [LoggerMessage(Level = LogLevel.Error, Message = "The check {check} of message {transactionId} failed; it counts as a temporary error ({clientIp})")]
    public static partial void CheckFailed(this ILogger log, Exception error, string check, string transactionId, string clientIp);

    [LoggerMessage(Level = LogLevel.Information, Message = "Checks of message {transactionId} from {clientIp}: {results}")]
    public static partial void Checked(this ILogger log, string transactionId, string clientIp, string results);
}
