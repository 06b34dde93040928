namespace EventMail.Host.Configuration;

/// <summary>Traces and metrics by OTLP. Without an endpoint nothing of it runs; Prometheus' /metrics does not need it.</summary>
public sealed record TelemetrySettings
{
    /// <summary>The collector's URL: http://localhost:4318, or http://localhost:4317 with grpc; off when empty.</summary>
    public string Endpoint { get; init; } = "";

    [OneOf("http", "grpc")]
    public string Protocol { get; init; } = "http";

    /// <summary>Fields for each request to it, as name=value, separated by commas.</summary>
    [Secret]
    public string Headers { get; init; } = "";

    /// <summary>How often metrics are sent.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Of a hundred spans that begin here, how many are sent.</summary>
    [Range(1, 100)]
    public int Sample { get; init; } = 100;
}
