using EventMail.EventStore;
using EventMail.Host.Configuration;
using EventMail.Protocols.Dns;
using EventMail.Protocols.MailAuth;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Reception;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>The checks of mail from other servers, put together by the settings.</summary>
internal static class ReceptionServices
{
    /// <exception cref="SettingsException">MailAuth:TrustedNetworks is no list of networks.</exception>
    public static ReceptionChecks Checks(
        HostSettings settings, IDnsSource dns, FilterServices filters, SpoolSpace spool, EventLog log, ILoggerFactory logs)
    {
        var steps = new List<IReceptionStep>();
        if (settings.MailAuth.Enabled)
        {
            steps.Add(new AuthenticationStep(
                dns, settings.EffectiveHostname, OptionsOf(settings.MailAuth), TimeProvider.System, logs.CreateLogger("EventMail.MailAuth")));
        }
        steps.AddRange(filters.Steps);
        return new(steps, NetworkList.Parse("MailAuth:TrustedNetworks", settings.MailAuth.TrustedNetworks), spool, new(log));
    }

    /// <summary>Those of mail that users of ours hand in; null for none.</summary>
    public static ReceptionChecks? SubmissionChecks(FilterServices filters, SpoolSpace spool, EventLog log) =>
        filters is { Submission: true, Steps.Count: > 0 } ? new(filters.Steps, [], spool, new(log)) : null;

    private static MailAuthOptions OptionsOf(MailAuthSettings settings) => new()
    {
        Timeout = settings.Timeout,
        Dmarc = settings.Dmarc,
        TrustedSealers = settings.TrustedSealers.Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries).Select(name => name.ToLowerInvariant()).ToHashSet(),
    };

    public static SpoolSpace Spool(HostSettings settings) =>
        new(Path.Combine(settings.Data, "spool"), (int)settings.Smtp.SpoolMemory, settings.Smtp.SpoolMemoryForAll);
}
