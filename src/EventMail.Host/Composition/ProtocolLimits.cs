using EventMail.Host.Configuration;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Pop3;
using EventMail.Protocols.Smtp;

namespace EventMail.Host.Composition;

/// <summary>The settings Smtp, Imap and Pop3 in the words of the protocols.</summary>
internal static class ProtocolLimits
{
    public static SmtpLimits Of(SmtpSettings settings) => new()
    {
        IdleTimeout = settings.IdleTimeout,
        CommandTimeout = settings.CommandTimeout,
        MaxMessageSize = settings.MaxMessageSize,
        MaxRecipients = settings.MaxRecipients,
        MaxReceivedHeaders = settings.MaxReceivedHeaders,
        MaxErrors = settings.MaxErrors,
    };

    public static ImapLimits Of(ImapSettings settings) => new()
    {
        IdleTimeout = settings.IdleTimeout,
        CommandTimeout = settings.CommandTimeout,
        KeepAlive = settings.KeepAlive,
        MaxMessageSize = settings.MaxMessageSize,
        MaxErrors = settings.MaxErrors,
    };

    public static Pop3Options Of(Pop3Settings settings, string hostname) => new()
    {
        HostName = hostname,
        IdleTimeout = settings.IdleTimeout,
        CommandTimeout = settings.CommandTimeout,
        MaxErrors = settings.MaxErrors,
    };
}
