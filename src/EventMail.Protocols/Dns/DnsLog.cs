using System.Net;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Dns;

internal static partial class DnsLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{file} was changed and read again: DNS servers {servers}")]
    public static partial void ServersChanged(this ILogger log, string file, string servers);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{file} cannot be read ({reason}): the DNS server on this machine is asked. Set Dns:Servers to ask others")]
    public static partial void NoResolvConf(this ILogger log, string file, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "DNS server {server} does not answer: {reason}")]
    public static partial void ServerSilent(this ILogger log, IPEndPoint server, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "DNS server {server} answers again")]
    public static partial void ServerBack(this ILogger log, IPEndPoint server);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "{count} datagrams from {server} answered something else than was asked ({name}): somebody may forge answers. The question goes by TCP")]
    public static partial void ForeignAnswers(this ILogger log, int count, IPEndPoint server, string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "Asking for {type} of {name} failed")]
    public static partial void LookupFailed(this ILogger log, Exception error, string name, DnsType type);
}
