using System.Net;
using EventMail.EventStore;
using EventMail.EventStore.Observations;
using EventMail.Host.Configuration;
using EventMail.Protocols.Dns;
using EventMail.Protocols.TransportSecurity;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Composition;

/// <summary>The DNS, and what domains say there and by HTTPS of the way to their mail servers.</summary>
public sealed class NameServices : IAsyncDisposable
{
    private const int DnsPort = 53;

    private readonly DnsResolver _resolver;
    private readonly MtaStsFetcher _fetcher;

    /// <param name="log">Where policies are kept; null: in memory.</param>
    public NameServices(HostSettings settings, EventLog? log, ILoggerFactory logs)
    {
        _resolver = Resolver(settings.Dns, logs);
        _fetcher = new(MtaStsFetcher.Handler(_resolver, settings.Delivery.Reachable()));
        Policies = new(
            _resolver, _fetcher, log is null ? null : new ObservationStore(log.DataSource, TransportPolicies.Kind), TimeProvider.System,
            logs.CreateLogger("EventMail.TransportSecurity"));
        Dane = new(_resolver);
    }

    public IDnsSource Dns => _resolver;

    /// <summary>MTA-STS.</summary>
    public TransportPolicies Policies { get; }

    public DaneRecords Dane { get; }

    /// <summary>The resolver alone, for commands.</summary>
    /// <exception cref="SettingsException">Dns:Servers is no list of addresses.</exception>
    public static DnsResolver Resolver(DnsSettings settings, ILoggerFactory logs) => new(
        new()
        {
            Servers = Servers(settings.Servers),
            Timeout = settings.Timeout > TimeSpan.Zero ? settings.Timeout : null,
            Attempts = settings.Attempts > 0 ? settings.Attempts : null,
            TrustAd = settings.TrustAd,
            MixCase = settings.MixCase,
            MaxTtl = settings.MaxTtl,
            MaxNegativeTtl = settings.MaxNegativeTtl,
            CacheEntries = settings.CacheEntries,
            CacheBytes = settings.CacheSize,
            MaxConcurrent = settings.MaxConcurrent,
        },
        TimeProvider.System, logs.CreateLogger("EventMail.Dns"));

    public async ValueTask DisposeAsync()
    {
        await Policies.DisposeAsync();
        _fetcher.Dispose();
        _resolver.Dispose();
    }

    private static IReadOnlyList<IPEndPoint> Servers(string text)
    {
        var servers = new List<IPEndPoint>();
        foreach (var word in text.Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries))
        {
            // An address alone has the port 0.
            if (!IPEndPoint.TryParse(word, out var server))
                throw new SettingsException($"Dns:Servers has '{word}': write addresses such as 127.0.0.1, 192.0.2.1:5353 or [2001:db8::1]:53");
            servers.Add(server.Port == 0 ? new(server.Address, DnsPort) : server);
        }
        return servers;
    }
}
