using System.Globalization;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Listeners;
using Npgsql;

namespace EventMail.Host.Telemetry;

internal sealed record HealthCheck(string Name, bool Ok, string Detail);

/// <summary>Whether this Host can do its work now.</summary>
internal sealed class HealthChecks(HostSettings settings, MailStore store, ServerListeners listeners, HostMeasures measures, CancellationToken stopping)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<IReadOnlyList<HealthCheck>> RunAsync(CancellationToken cancel)
    {
        var database = await DatabaseAsync(cancel);
        return [database, Listeners(), database.Ok ? await LagAsync(cancel) : new("projections", false, "not known while the database does not answer"), Log(), Disk()];
    }

    private async Task<HealthCheck> DatabaseAsync(CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(Patience);
        try
        {
            await using var command = store.Log.DataSource.CreateCommand("select 1");
            await command.ExecuteScalarAsync(patience.Token);
            return new("database", true, "answers");
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException or IOException || (error is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return new("database", false, error is OperationCanceledException ? "no answer within two seconds" : error.Message);
        }
    }

    private HealthCheck Listeners() => stopping.IsCancellationRequested
        ? new("listeners", false, "the server is stopping")
        : new("listeners", true, string.Join(' ', listeners.Counts.Select(listener => listener.Name)));

    private async Task<HealthCheck> LagAsync(CancellationToken cancel)
    {
        try
        {
            var limit = settings.Http.ReadyLag.TotalSeconds;
            var late = (await measures.RefreshAsync(cancel)).Models.Where(model => model.LagSeconds > limit).ToList();
            return late.Count == 0
                ? new("projections", true, "up to date")
                : new("projections", false, string.Join(", ", late.Select(model => string.Create(CultureInfo.InvariantCulture, $"{model.Name} is {model.LagSeconds:0} s behind"))));
        }
        catch (NpgsqlException error)
        {
            return new("projections", false, error.Message);
        }
    }

    // Told, and no reason to send clients elsewhere: the other nodes have the same log.
    private HealthCheck Log()
    {
        var drifted = measures.Last.Checks.Where(check => check.Value.Drifted > 0).Select(check => string.Create(
            CultureInfo.InvariantCulture, $"{check.Value.Drifted} rows of {check.Key} are not what it says"));
        var damaged = store.Log.Quarantine.Rows.Select(row => string.Create(
            CultureInfo.InvariantCulture, $"the stream {row.Stream} is in quarantine (seq_id {row.Sequence} {(row.IsAltered ? "was altered" : "cannot be read")})"));
        var all = damaged.Concat(drifted).ToList();
        if (measures.Last.Alterations is > 0 and var altered)
            all.Insert(0, string.Create(CultureInfo.InvariantCulture, $"ALARM: it is not as it was written in {altered} places (`eventmail audit verify`)"));
        return new("log", true, all.Count == 0 ? "nothing is known to be wrong" : string.Join("; ", all));
    }

    private HealthCheck Disk()
    {
        try
        {
            var free = new DriveInfo(Path.GetFullPath(settings.Data)).AvailableFreeSpace;
            return new("disk", free >= settings.Http.ReadyDisk, $"{Cli.ListOutput.Size(free)} free");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new("disk", false, error.Message);
        }
    }
}
