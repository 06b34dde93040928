using System.Net;
using EventMail.Host.Http.Admin;
using EventMail.Host.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http;

/// <param name="Status">ready, or what is not.</param>
internal sealed record ReadyDocument(string Status, IReadOnlyList<HealthCheck> Checks);

/// <summary>/health/live, /health/ready, /metrics: for programs of this machine, and for those with a key of the scope read:metrics.</summary>
internal sealed class Monitoring(KeyGuard guard, HealthChecks health, HostMeasures measures, PrometheusCollector metrics)
{
    private const string Scope = "read:metrics";

    public void Map(IEndpointRouteBuilder routes)
    {
        // It answers: that is all. It says nothing and asks nobody, so that a database that is away restarts no Host.
        routes.MapMethods("/health/live", AdminApi.Reading, context => context.Response.WriteAsync("live\n", context.RequestAborted));
        routes.MapMethods("/health/ready", AdminApi.Reading, context => ForMonitorsAsync(context, () => ReadyAsync(context)));
        routes.MapMethods("/metrics", AdminApi.Reading, context => ForMonitorsAsync(context, () => MetricsAsync(context)));
    }

    private async Task ForMonitorsAsync(HttpContext context, Func<Task> answer)
    {
        if (IPAddress.IsLoopback(context.Connection.RemoteIpAddress ?? IPAddress.None) || await guard.AdmitAsync(context, Scope) is not null)
            await answer();
    }

    private async Task ReadyAsync(HttpContext context)
    {
        var checks = await health.RunAsync(context.RequestAborted);
        var bad = checks.Where(check => !check.Ok).Select(check => check.Name).ToList();
        context.Response.StatusCode = bad.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.Response.WriteAsJsonAsync(
            new(bad.Count == 0 ? "ready" : $"not ready: {string.Join(", ", bad)}", checks), HttpJson.Plain.ReadyDocument, "application/json", context.RequestAborted);
    }

    private async Task MetricsAsync(HttpContext context)
    {
        // What is counted in memory is told also while the database is away.
        try
        {
            await measures.RefreshAsync(context.RequestAborted);
        }
        catch (Npgsql.NpgsqlException)
        {
            context.Response.Headers["EventMail-Stale"] = "true";
        }
        context.Response.ContentType = PrometheusCollector.MediaType;
        await context.Response.WriteAsync(metrics.Write(), context.RequestAborted);
    }
}
