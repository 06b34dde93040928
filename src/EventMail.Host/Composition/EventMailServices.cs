using System.Net;
using EventMail.Host.Audit;
using EventMail.Host.Configuration;
using EventMail.Host.Delivery;
using EventMail.Host.Listeners;
using EventMail.Host.Telemetry;
using EventMail.Host.Webhooks;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Maildrops;
using EventMail.Projections.Metadata;
using EventMail.Projections.Quotas;
using EventMail.Projections.Reading;
using EventMail.Projections.Retention;
using EventMail.Projections.SearchText;
using EventMail.Projections.Verification;
using EventMail.Protocols.Imap;
using EventMail.Protocols.MailAuth.Dkim;
using EventMail.Protocols.Pop3;
using EventMail.Protocols.Smtp;
using EventMail.Protocols.Smtp.Data;
using EventMail.Protocols.Smtp.Submission;
using EventMail.Protocols.Wire;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>The server's services, built by hand and in order; disposed in the reverse.</summary>
public sealed class EventMailServices : IAsyncDisposable
{
    private readonly MailStore _store;
    private readonly MessageSummaries _summaries;
    private readonly MetadataService _metadata;
    private readonly MaildropLocks _locks;
    private readonly QuotaWatch _quotas;
    private readonly NameServices _names;
    private readonly QuotaAudits _audits;
    private readonly ReleaseRuns _releases;
    private readonly ErasureWatch _erasures;
    private readonly DriftWatch _drifts;
    private readonly LogWatch _alterations;
    private readonly FilterServices _filters;
    private readonly SpoolSpace _spool;
    private readonly SearchTextIndex? _searchText;
    private readonly HostContext _host;
    private readonly Witness _witness;
    private readonly ReadAudit _reads;
    private DeliveryAgent? _agent;

    private EventMailServices(HostContext host, MailStore store, SearchTextProjection? searchText, ReadAudit reads)
    {
        (_host, _store, _reads) = (host, store, reads);
        _searchText = searchText is null ? null : new(store.Log, searchText, host.Logs);
        _summaries = new(store.Log);
        _metadata = new(store.Log, store.Mailboxes, $"mailto:postmaster@{host.Settings.EffectiveHostname}", host.Settings.Quota.Annotations);
        _locks = new(store.Log.Sessions, host.Logs.CreateLogger("EventMail.Pop3"));
        _names = new(host.Settings, store.Log, host.Logs);
        _names.Policies.Start();
        var marks = new QuotaMarks(store.Log, store.Directory, store.Mailboxes, host.Settings.EffectiveHostname, host.Logs);
        _quotas = new(store.Log, store.Directory, marks, host.Logs);
        _audits = new(store.Log, store.QuotaAudit, _quotas, host.Settings.Quota.VerifyEvery, TimeProvider.System, host.Logs);
        _erasures = new(store.Log, _summaries);
        _releases = new(store.Releases, store.Erasures, host.Settings.Retention.Every, TimeProvider.System, host.Logs);
        _drifts = new(
            store.Log, host.Database.ConnectionString, store.DriftAlarms,
            new() { Every = host.Settings.Projections.VerifyEvery, Rate = host.Settings.Projections.VerifyRate, Sample = host.Settings.Projections.VerifySample }, TimeProvider.System, host.Logs);
        _alterations = new(
            store.Log,
            new()
            {
                Every = host.Settings.Audit.VerifyEvery,
                Rate = host.Settings.Audit.VerifyRate,
                Quarantine = host.Settings.Audit.QuarantineAltered,
                UnhashedUntil = UnhashedUntil(host.Settings.Audit.UnhashedUntil),
            },
            TimeProvider.System, host.Logs);
        _spool = ReceptionServices.Spool(host.Settings);
        _filters = new(host.Settings, _names.Dns, _spool, host.Logs);
        Listeners = ListenerTable.Of(host.Settings, Servers(host));
        _witness = new(store.Log, host.Settings, host.Logs);
    }

    /// <summary>What the server listens to.</summary>
    public IReadOnlyList<ListenerSpec> Listeners { get; }

    public AccountService Accounts => _store.Accounts;

    internal MailStore Store => _store;

    public static async Task<EventMailServices> StartAsync(HostContext host, CancellationToken cancel)
    {
        var searchText = host.Settings.Search.Index ? new SearchTextProjection(SearchSettingsOf(host.Settings), host.Logs) : null;
        var store = await MailStore.OpenAsync(host.Settings, host.Database, host.Logs, cancel, searchText, serves: true);
        try
        {
            var audit = host.Settings.Audit;
            var reads = await ReadAudit.OpenAsync(
                store.Log, new() { Interval = audit.ReadInterval, MaxMessages = audit.ReadMessages }, host.Logs, cancel);
            return new(host, store, searchText, reads);
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    /// <summary>The admin API and its listener.</summary>
    internal AdminServer Admin(ServerListeners listeners, HostTelemetry telemetry, CancellationToken stopping) =>
        new(_host, _store, _summaries, _names, _reads, listeners, telemetry, stopping);

    /// <summary>Begins to tell webhooks, if any.</summary>
    internal WebhookDispatcher TellWebhooks() => new(_store, _host.Settings.Webhooks, _host.Logs.CreateLogger("EventMail.Webhooks"));

    /// <summary>Begins to measure.</summary>
    internal HostTelemetry Measure(ServerListeners listeners) => new(_host.Settings, _store, listeners, _host.Logs);

    /// <summary>Begins to deliver, where that is on.</summary>
    /// <param name="smtp">Where this server takes mail from others.</param>
    public void StartDelivering(IReadOnlyList<IPEndPoint> smtp) => _agent = DeliveryAgents.Start(_host.Settings, _store, _names, smtp, _host.Logs);

    /// <summary>Ends delivering in order; at once when <paramref name="atOnce"/> fires.</summary>
    public Task StopDeliveringAsync(CancellationToken atOnce) => _agent?.StopAsync(atOnce) ?? Task.CompletedTask;

    /// <summary>Called when all sessions have ended and before the database stops.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_agent is not null)
            await _agent.DisposeAsync();
        _store.Log.Executor.BeginClosing();
        await _reads.DisposeAsync();
        await _releases.DisposeAsync();
        await _drifts.DisposeAsync();
        await _alterations.DisposeAsync();
        await _audits.DisposeAsync();
        await _quotas.DisposeAsync();
        await _witness.DisposeAsync();
        _filters.Dispose();
        await _names.DisposeAsync();
        await _locks.DisposeAsync();
        _erasures.Dispose();
        _summaries.Dispose();
        _metadata.Dispose();
        await _store.DisposeAsync();
    }

    /// <exception cref="SettingsException">It is no time.</exception>
    private static DateTimeOffset? UnhashedUntil(string text) =>
        text.Length == 0 ? null
        : Cli.TimeArgument.TryInstant(text, out var time) ? time
        : throw new SettingsException($"Audit:UnhashedUntil: {text} is no time; write 2026-11-21T12:00:00Z");

    private static SearchTextOptions SearchSettingsOf(HostSettings settings) => new()
    {
        MaxTextLength = settings.Search.MaxTextLength,
        BusyContentsPerSecond = settings.Search.BusyMessagesPerSecond,
        BusyShare = settings.Search.BusyShare / 100.0,
        ProgressInterval = settings.Search.ProgressInterval,
    };

    private ProtocolServers Servers(HostContext host)
    {
        var (settings, log) = (host.Settings, _store.Log);
        var node = Environment.MachineName;
        var hostname = settings.EffectiveHostname;
        var authenticator = new Authenticator(
            log, _store.Directory, _store.Hasher, _store.Key, LoginSettings.LoginsOf(settings), host.Logs);
        var limiter = new CommandRateLimiter(LoginSettings.CommandsOf(settings));
        var destination = new MailboxDestination(
            _store.Directory, log.Contents, _store.Mailboxes, ReceptionServices.Checks(settings, _names.Dns, _filters, _spool, log, host.Logs));
        var (smtp, lmtp) = (SmtpOf(SmtpRole.Exchange), SmtpOf(SmtpRole.LocalDelivery));
        var submission = new SmtpServices(
            hostname, node,
            new SubmissionDestination(
                _store.Directory, log.Contents, _store.Deliveries, _spool,
                new() { CheckFrom = settings.Submission.CheckFrom, HideClient = settings.Submission.HideClient },
                new(new DomainKeys(_store.DkimKeys).ForAsync), ReceptionServices.SubmissionChecks(_filters, _spool, log)),
            ProtocolLimits.Of(settings.Smtp, settings.Submission), TimeProvider.System, host.Logs.CreateLogger("EventMail.Smtp"))
        {
            Role = SmtpRole.Submission,
            Submission = new(authenticator, new(ProtocolLimits.RatesOf(settings.Submission))),
            RateLimiter = limiter,
        };
        var imap = MailboxServers.Imap(host, _store, _metadata, _summaries, _searchText, authenticator, limiter, _reads);
        var pop3 = MailboxServers.Pop3(host, _store, _locks, authenticator, limiter, _reads);
        return new()
        {
            Smtp = (connection, stopping) => SmtpServer.ServeAsync(connection, smtp, stopping),
            Lmtp = (connection, stopping) => SmtpServer.ServeAsync(connection, lmtp, stopping),
            Submission = (connection, stopping) => SmtpServer.ServeAsync(connection, submission, stopping),
            Imap = (connection, stopping) => ImapServer.ServeAsync(connection, imap, stopping),
            Pop3 = (connection, stopping) => Pop3Server.ServeAsync(connection, pop3, stopping),
        };

        SmtpServices SmtpOf(SmtpRole role) => new(
            hostname, node, destination, ProtocolLimits.Of(settings.Smtp), TimeProvider.System, host.Logs.CreateLogger("EventMail.Smtp"))
        {
            Role = role,
            RateLimiter = limiter,
        };
    }
}
