using EventMail.Host.Configuration;
using EventMail.Host.Http;
using EventMail.Host.Http.Admin;
using EventMail.Host.Http.Admin.Resources;
using EventMail.Host.Listeners;
using EventMail.Host.Tls;
using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Dns;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>Composes the admin API and its listener.</summary>
internal sealed class AdminServer(HostSettings settings, MailStore store, MessageSummaries summaries, IDnsSource dns, LiveConnections connections, ILoggerFactory logs)
{
    private readonly ILogger _log = logs.CreateLogger("EventMail.Http");

    public AdminApi Api()
    {
        var http = settings.Http;
        var finder = new AccountFinder(store.Directory);
        var pictures = new MailboxPictures(store, new(store.Log));
        var guard = new KeyGuard(store.ApiKeys, http, TimeProvider.System, _log);
        return new(new(guard, Environment.MachineName, _log),
        [
            .. new AccountsResource(store, finder, http.MaxPage).Operations,
            .. new MailboxesResource(store, finder, pictures).Operations,
            .. new MessagesResource(store, finder, pictures, new(summaries, store.Log.Contents), http.MaxPage).Operations,
            .. new HistoryResource(store, http.MaxPage).Operations,
            .. new DomainsResource(store, dns, http.MaxPage).Operations,
            .. new AliasesResource(store, http.MaxPage).Operations,
            .. new QueueResource(store, http.MaxPage).Operations,
            .. new ConnectionsResource(connections).Operations,
            .. new ProjectionsResource(store, logs).Operations,
        ]);
    }

    public HostGuard Guard => new(
        settings.Http.HostNames.Split(' ', StringSplitOptions.RemoveEmptyEntries).Append(settings.EffectiveHostname), !IsLoopback(settings.Http.Address));

    /// <summary>Null where it is switched off.</summary>
    /// <exception cref="SettingsException">The address or port cannot be had; says which and why.</exception>
    public async Task<HttpServer?> OpenAsync(ServerCertificates certificates, CancellationToken cancel)
    {
        var http = settings.Http;
        if (!http.Port.IsOn)
            return null;
        var tls = http.Tls == "on" || (http.Tls == "auto" && (settings.Tls.Certificate.Length > 0 || !IsLoopback(http.Address)));
        return await HttpServer.StartAsync("Http", http, Guard, Api().Map, logs, cancel, tls ? certificates.Select : null);
    }

    private static bool IsLoopback(string address) =>
        address == "localhost" || (System.Net.IPAddress.TryParse(address, out var ip) && System.Net.IPAddress.IsLoopback(ip));
}
