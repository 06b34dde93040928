using EventMail.EventStore;
using EventMail.Host.Cli;
using EventMail.Host.Configuration;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace EventMail.Host.Telemetry;

/// <summary>Sends spans and measures to a collector (OTLP). What is left is sent when it is disposed.</summary>
internal sealed class TelemetryExport : IAsyncDisposable
{
    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _refreshing;

    private TelemetryExport(TracerProvider traces, MeterProvider metrics, HostMeasures measures, TimeSpan interval)
    {
        (_traces, _metrics) = (traces, metrics);
        _refreshing = RefreshAsync(measures, interval);
    }

    /// <summary>Null where no endpoint is set.</summary>
    /// <exception cref="SettingsException">The endpoint is no URL.</exception>
    public static TelemetryExport? Start(HostSettings settings, HostMeasures measures)
    {
        var telemetry = settings.Telemetry;
        if (telemetry.Endpoint.Length == 0)
            return null;
        if (!Uri.TryCreate(telemetry.Endpoint, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
            throw new SettingsException($"Telemetry:Endpoint is '{telemetry.Endpoint}': write the URL of an OTLP collector, such as http://localhost:4318.");
        var resource = ResourceBuilder.CreateDefault().AddService(
            "eventmail", serviceVersion: VersionCommand.Version, serviceInstanceId: settings.EffectiveHostname);
        var traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(telemetry.Sample / 100.0)))
            .AddSource(EventStoreTelemetry.Name)
            .AddOtlpExporter(options => Set(options, telemetry, endpoint, "v1/traces"))
            .Build();
        var metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(EventStoreTelemetry.Name)
            .AddOtlpExporter((options, reader) =>
            {
                Set(options, telemetry, endpoint, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = (int)Math.Clamp(telemetry.Interval.TotalMilliseconds, 100, int.MaxValue);
            })
            .Build();
        return new(traces, metrics, measures, telemetry.Interval);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _refreshing;
        _traces.Dispose();
        _metrics.Dispose();
        _stop.Dispose();
    }

    private static void Set(OtlpExporterOptions options, TelemetrySettings telemetry, Uri endpoint, string path)
    {
        var grpc = telemetry.Protocol == "grpc";
        options.Protocol = grpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        options.Endpoint = grpc ? endpoint : new(endpoint.AbsoluteUri.TrimEnd('/') + "/" + path);
        if (telemetry.Headers.Length > 0)
            options.Headers = telemetry.Headers;
    }

    // Gauges tell what was seen last: the database is asked here, not where they are read.
    private async Task RefreshAsync(HostMeasures measures, TimeSpan interval)
    {
        using var timer = new PeriodicTimer(interval > TimeSpan.FromSeconds(1) ? interval : TimeSpan.FromSeconds(1));
        try
        {
            do
            {
                try
                {
                    await measures.RefreshAsync(_stop.Token);
                }
                catch (Npgsql.NpgsqlException)
                {
                    // The database is away: the server's log says so, and the gauges stay as they were.
                }
            }
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }
}
