using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.TransportSecurity;

internal static partial class TransportSecurityLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The MTA-STS policy {id} of {domain} could not be fetched: {fault}")]
    public static partial void PolicyNotFetched(this ILogger log, string domain, string id, string fault);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{domain} shows its MTA-STS record no more; the policy that it had holds until {until}")]
    public static partial void PolicyNotSeen(this ILogger log, string domain, DateTimeOffset until);

    [LoggerMessage(Level = LogLevel.Warning, Message = "MTA-STS policies could not be read or kept in the database")]
    public static partial void PolicyStoreFailed(this ILogger log, Exception error);
}
