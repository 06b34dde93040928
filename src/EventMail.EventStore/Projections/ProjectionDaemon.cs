using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>Runs asynchronous projections: each on one node at a time, woken by commits that are news to it, its position in mt_event_progression. They share one reader of the log.</summary>
public sealed class ProjectionDaemon : IAsyncDisposable
{
    private readonly List<ProjectionRunner> _runners;
    private readonly IDisposable _subscription;
    private readonly NpgsqlDataSource _source;

    internal ProjectionDaemon(
        EventLogOptions options, EventReader reader, CommitFeed feed, IReadOnlyList<IAsyncProjection> projections, ILogger log)
    {
        // A runner keeps its connection, and with it its lock: they must not empty the pool of the queries.
        var settings = new NpgsqlConnectionStringBuilder(options.ConnectionString)
        {
            SearchPath = ReadModelSchema.SearchPath,
            Pooling = false,
            ApplicationName = "eventmail projections",
            MaxAutoPrepare = 50,
            Enlist = false,
        };
        // A page and its position are one transaction: lost together, they are folded again. Nobody waits for that flush.
        settings.Options = $"{settings.Options} -c synchronous_commit=off".Trim();
        _source = NpgsqlDataSource.Create(settings);
        var tail = new LogTail(reader);
        reader.Decoder.Keys.Erased += tail.Forget;
        _runners = [.. projections.Select(p => new ProjectionRunner(p, _source, reader, tail, options.ProjectionPoll, log))];
        _subscription = feed.Subscribe(batch =>
        {
            foreach (var runner in _runners)
                runner.Wake(batch);
        });
    }

    internal void Start()
    {
        foreach (var runner in _runners)
            runner.Start();
    }

    /// <summary>Waits until the projection (on whichever node) has folded every event that was committed before the call.</summary>
    public Task WaitForAsync(string projectionName, CancellationToken cancel) =>
        _runners.First(r => r.Name == projectionName).WaitForAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        _subscription.Dispose();
        foreach (var runner in _runners)
            await runner.DisposeAsync();
        await _source.DisposeAsync();
    }
}
