using EventMail.Host.Configuration;
using EventMail.Host.Http;
using EventMail.Host.Http.Admin;
using EventMail.Host.Http.Admin.Resources;
using EventMail.Host.Listeners;
using EventMail.Host.Telemetry;
using EventMail.Host.Tls;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Dns;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>Composes the admin API and its listener.</summary>
internal sealed class AdminServer(
    HostContext host, MailStore store, MessageSummaries summaries, IDnsSource dns, ServerListeners listeners, HostTelemetry telemetry, CancellationToken stopping)
{
    private readonly HostSettings _settings = host.Settings;
    private readonly KeyGuard _guard = new(store.ApiKeys, host.Settings.Http, TimeProvider.System, host.Logs.CreateLogger("EventMail.Http"));

    public AdminApi Api()
    {
        var http = _settings.Http;
        var finder = new AccountFinder(store.Directory);
        var pictures = new MailboxPictures(store, new(store.Log));
        return new(new(_guard, Environment.MachineName, host.Logs.CreateLogger("EventMail.Http")),
        [
            .. new AccountsResource(store, finder, http.MaxPage).Operations,
            .. new MailboxesResource(store, finder, pictures).Operations,
            .. new MessagesResource(store, finder, pictures, new(summaries, store.Log.Contents), http.MaxPage).Operations,
            .. new HistoryResource(store, http.MaxPage).Operations,
            .. new DomainsResource(store, dns, http.MaxPage).Operations,
            .. new AliasesResource(store, http.MaxPage).Operations,
            .. new QueueResource(store, http.MaxPage).Operations,
            .. new ConnectionsResource(new(listeners, stopping)).Operations,
            .. new EventsResource(store, new(store.Log), _guard, http, stopping).Operations,
            .. new AuditResource(store, _settings).Operations,
            .. new ProjectionsResource(store, host.Logs).Operations,
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

    private static bool IsLoopback(string address) =>
        address == "localhost" || (System.Net.IPAddress.TryParse(address, out var ip) && System.Net.IPAddress.IsLoopback(ip));
}
