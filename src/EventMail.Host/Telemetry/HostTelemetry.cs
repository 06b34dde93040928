using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Listeners;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Telemetry;

/// <summary>What a Host measures of itself, for /metrics and for a collector.</summary>
internal sealed class HostTelemetry : IAsyncDisposable
{
    private readonly MailMeter _mail;
    private readonly TelemetryExport? _export;

    public HostTelemetry(HostSettings settings, MailStore store, ServerListeners listeners, ILoggerFactory logs)
    {
        _mail = new(store.Log.Executor.Feed);
        Measures = new(settings, store, listeners, _mail.Meter, TimeProvider.System, logs);
        Prometheus = new(_mail.Meter, EventStoreTelemetry.Meter);
        _export = TelemetryExport.Start(settings, Measures);
        _mail.Begin();
    }

    public HostMeasures Measures { get; }

    public PrometheusCollector Prometheus { get; }

    public async ValueTask DisposeAsync()
    {
        if (_export is not null)
            await _export.DisposeAsync();
        Prometheus.Dispose();
        _mail.Dispose();
    }
}
