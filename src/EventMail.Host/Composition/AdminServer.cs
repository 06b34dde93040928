using EventMail.Host.Configuration;
using EventMail.Host.Http;
using EventMail.Host.Http.Admin;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Host.Http.Admin.Resources;
using EventMail.Host.Listeners;
using EventMail.Host.Telemetry;
using EventMail.Host.Tls;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Reading;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>Composes the admin API and its listener.</summary>
internal sealed class AdminServer(
    HostContext host, MailStore store, MessageSummaries summaries, NameServices names, ReadAudit reads, ServerListeners listeners, HostTelemetry telemetry,
    CancellationToken stopping) : IAsyncDisposable
{
    private readonly HostSettings _settings = host.Settings;
    private readonly KeyGuard _guard = new(store.ApiKeys, host.Settings.Http, TimeProvider.System, Environment.MachineName, host.Logs.CreateLogger("EventMail.Http"));
    private readonly JobBoard _jobs = new(host.Settings.Http, TimeProvider.System, stopping, host.Logs.CreateLogger("EventMail.Http"));

    public AdminApi Api()
    {
        var http = _settings.Http;
        var finder = new AccountFinder(store);
        var pictures = new MailboxPictures(store, store.Past);
        return new(new(_guard, Environment.MachineName, host.Logs.CreateLogger("EventMail.Http")),
        [
            .. new AccountsResource(store, finder, http.MaxPage).Operations,
            .. new MailboxesResource(store, finder, pictures).Operations,
            .. new MessagesResource(store, finder, pictures, new(summaries, store.Log.Contents), reads, http.MaxPage).Operations,
            .. new DifferencesResource(store).Operations,
            .. new RestoreResource(store, _jobs).Operations,
            .. new HistoryResource(store, http.MaxPage).Operations,
            .. new DomainsResource(store, names, _settings).Operations,
            .. new AliasesResource(store, http.MaxPage).Operations,
            .. new QueueResource(store, _jobs, http.MaxPage).Operations,
            .. new ConnectionsResource(new(listeners, stopping)).Operations,
            .. new EventsResource(store, new(store.Log), _guard, http, host.Logs.CreateLogger("EventMail.Http"), stopping).Operations,
            .. new AuditResource(store, host.Database, _settings, _jobs, http.MaxPage).Operations,
            .. new ProjectionsResource(store, host.Database, _jobs, host.Logs).Operations,
            .. new WebhooksResource(store, http.MaxPage).Operations,
            .. new ApiKeysResource(store, TimeProvider.System).Operations,
            .. new BackupsResource(store, _settings, _jobs).Operations,
            .. new RetentionResource(store, _settings, _jobs).Operations,
            .. new ErasuresResource(store, _settings, _jobs).Operations,
            .. new JobsResource(_jobs).Operations,
        ]);
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        Api().Map(routes);
        new Monitoring(_guard, new(_settings, store, listeners, telemetry.Measures, stopping), telemetry.Measures, telemetry.Prometheus).Map(routes);
    }

    public HostGuard Guard => new(
        _settings.Http.HostNames.Split(' ', StringSplitOptions.RemoveEmptyEntries).Append(_settings.EffectiveHostname), !IsLoopback(_settings.Http.Address));

    /// <summary>Null where it is switched off.</summary>
    /// <exception cref="SettingsException">The address or port cannot be had; says which and why.</exception>
    public async Task<HttpServer?> OpenAsync(ServerCertificates certificates, CancellationToken cancel)
    {
        var http = _settings.Http;
        if (!http.Port.IsOn)
            return null;
        var tls = http.Tls == "on" || (http.Tls == "auto" && (_settings.Tls.Certificate.Length > 0 || !IsLoopback(http.Address)));
        return await HttpServer.StartAsync("Http", http, Guard, Map, host.Logs, cancel, tls ? certificates.Select : null);
    }

    /// <summary>Called when the listener is closed and before the store is: ends what runs still.</summary>
    public ValueTask DisposeAsync() => _jobs.DisposeAsync();

    private static bool IsLoopback(string address) =>
        address == "localhost" || (System.Net.IPAddress.TryParse(address, out var ip) && System.Net.IPAddress.IsLoopback(ip));
}
