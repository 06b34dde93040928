using Microsoft.Extensions.Logging;

namespace EventMail.Host.Tls;

internal static partial class TlsLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "TLS uses the self-signed certificate {certificate}; set Tls:Certificate and Tls:Key to use another")]
    public static partial void SelfSigned(this ILogger log, string certificate);

    [LoggerMessage(Level = LogLevel.Information, Message = "Certificate {certificate} was changed and read again")]
    public static partial void CertificateReloaded(this ILogger log, string certificate);

    [LoggerMessage(Level = LogLevel.Error, Message = "Certificate {certificate} was changed but cannot be used: the one read before stays")]
    public static partial void CertificateKept(this ILogger log, Exception error, string certificate);
}
