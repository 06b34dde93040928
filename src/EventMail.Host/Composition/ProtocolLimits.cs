using EventMail.Host.Configuration;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Pop3;
using EventMail.Protocols.Sasl;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Submission;

namespace EventMail.Host.Composition;

/// <summary>The settings Smtp, Imap and Pop3 in the words of the protocols.</summary>
internal static class ProtocolLimits
{
    // Before the listener cuts a session off at its StopTimeout, its client is told 421 and given a moment to hear it.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    public static SmtpLimits Of(SmtpSettings settings) => new()
    {
        IdleTimeout = settings.IdleTimeout,
        CommandTimeout = settings.CommandTimeout,
        MaxMessageSize = settings.MaxMessageSize,
        MaxDiscarded = settings.MaxDiscarded,
        MaxRecipients = settings.MaxRecipients,
        MaxReceivedHeaders = settings.MaxReceivedHeaders,
        MaxErrors = settings.MaxErrors,
        DataTimeout = settings.DataTimeout,
        MaxSessionTime = settings.MaxSessionTime,
        MaxTransactions = settings.MaxTransactions,
        MaxUnknownRecipients = settings.MaxUnknownRecipients,
        BareLineEnds = settings.BareLineEnds,
        StopTime = settings.StopTimeout > 2 * Farewell ? settings.StopTimeout - Farewell : settings.StopTimeout / 2,
    };

    /// <summary>What submission has otherwise than the MX port.</summary>
    public static SmtpLimits Of(SmtpSettings smtp, SubmissionSettings settings) => Of(smtp) with
    {
        // RFC 4954 §4: an initial response may be as long as a response, and access tokens are long.
        MaxCommandLength = SaslFraming.MaxResponseLine + 64,
        MaxRecipients = settings.MaxRecipients,
        MaxFailedLogins = settings.MaxFailedLogins,
        MaxHold = settings.MaxHold,
        MaxPriority = settings.MaxPriority,
    };

    public static SubmissionRateLimits RatesOf(SubmissionSettings settings) => new()
    {
        MessagesPerAccount = settings.MessagesPerHour,
        RecipientsPerAccount = settings.RecipientsPerHour,
        MessagesPerAddress = settings.MessagesPerHourPerAddress,
        RecipientsPerAddress = settings.RecipientsPerHourPerAddress,
        ExemptLoopback = settings.ExemptLoopback,
    };

    public static ImapLimits Of(ImapSettings settings) => new()
    {
        IdleTimeout = settings.IdleTimeout,
        CommandTimeout = settings.CommandTimeout,
        KeepAlive = settings.KeepAlive,
        MaxMessageSize = settings.MaxMessageSize,
        MessageLimit = settings.MessageLimit,
        NonSynchronizingLiterals = settings.NonSynchronizingLiterals,
        MaxErrors = settings.MaxErrors,
    };

    public static Pop3Options Of(Pop3Settings settings, string hostname) => new()
    {
        HostName = hostname,
        IdleTimeout = settings.IdleTimeout,
        LoginTimeout = settings.LoginTimeout,
        CommandTimeout = settings.CommandTimeout,
        MaxErrors = settings.MaxErrors,
    };
}
