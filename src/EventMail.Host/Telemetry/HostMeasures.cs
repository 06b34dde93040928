using System.Diagnostics.Metrics;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Listeners;
using EventMail.Projections;
using EventMail.Projections.Deliveries;
using EventMail.Projections.SearchText;
using EventMail.Projections.Verification;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Telemetry;

/// <summary>
/// What stands at a moment: sessions, the queue, the read models' lag. The database is asked at most once in a few seconds, however many ask
/// here. Thread-safe.
/// </summary>
internal sealed class HostMeasures
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private readonly MailStore _store;
    private readonly ServerListeners _listeners;
    private readonly IReadOnlyList<IReadModel> _models;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _turn = new(1);
    private volatile Picture _picture = new(default, 0, [], new Dictionary<string, ReadModelCheck>(), 0, DateTimeOffset.MinValue);

    /// <param name="meter">Where the instruments are made.</param>
    public HostMeasures(HostSettings settings, MailStore store, ServerListeners listeners, Meter meter, TimeProvider time, ILoggerFactory logs)
    {
        (_store, _listeners, _time) = (store, listeners, time);
        // The index of texts is not run where it is switched off.
        _models = [.. ReadModels.All(logs).Where(model => model is IAsyncProjection && (settings.Search.Index || model is not SearchTextProjection))];
        meter.CreateObservableGauge("eventmail.sessions", Sessions, "{connection}", "Connections by listener.");
        meter.CreateObservableGauge("eventmail.queue.messages", () => _picture.Queue.Deliveries, "{message}", "Messages on their way to other servers.");
        meter.CreateObservableGauge("eventmail.queue.recipients", () => _picture.Queue.Recipients, "{recipient}", "Recipients that wait.");
        meter.CreateObservableGauge("eventmail.queue.due", () => _picture.Queue.Due, "{row}", "Rows of the queue whose time has come.");
        meter.CreateObservableGauge("eventmail.queue.held", () => _picture.Queue.Held, "{row}", "Rows of the queue that an operator holds.");
        meter.CreateObservableGauge("eventmail.queue.age", () => _picture.Age, "s", "Of the oldest message in the queue.");
        meter.CreateObservableGauge("eventmail.projection.lag.events", () => Lags(model => model.LagEvents), "{event}", "Positions of the log that a read model has not folded.");
        meter.CreateObservableGauge("eventmail.projection.drift", Drifts, "{row}", "Rows of a read model that its last verification found not to be what the log says.");
        meter.CreateObservableGauge("eventmail.quarantine.streams", () => _store.Log.Quarantine.Rows.Count, "{stream}", "Streams with an event that cannot be read.");
        meter.CreateObservableGauge("eventmail.log.alterations", () => _picture.Alterations, "{place}", "Places where the log is known not to be as it was written.");
        meter.CreateObservableGauge("eventmail.projection.lag", () => Lags(model => model.LagSeconds), "s", "The age of the first event that it has not folded.");
    }

    private IEnumerable<Measurement<int>> Drifts() =>
        _picture.Checks.Select(check => new Measurement<int>(check.Value.Drifted, new KeyValuePair<string, object?>("projection", check.Key)));

    /// <summary>As it was when somebody asked last.</summary>
    public Picture Last => _picture;

    /// <summary>Asks the database unless that was just done.</summary>
    public async Task<Picture> RefreshAsync(CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel);
        try
        {
            var now = _time.GetUtcNow();
            if (now - _picture.Taken < Fresh)
                return _picture;
            var queries = _store.Deliveries.Operations.Queries;
            var oldest = await queries.OldestAsync(cancel);
            return _picture = new(
                await queries.CountAsync(new(), cancel), oldest is { } since ? Math.Max(0, (now - since).TotalSeconds) : 0,
                await new ReadModelInspection(_store.Log.DataSource).StatusAsync(_models, cancel), await ChecksAsync(cancel), await AlterationsAsync(cancel), now);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<IReadOnlyDictionary<string, ReadModelCheck>> ChecksAsync(CancellationToken cancel)
    {
        await using var connection = await _store.Log.DataSource.OpenConnectionAsync(cancel);
        return await ReadModelChecks.ReadAsync(connection, cancel);
    }

    // What is known stands in the log: should that be what was damaged, what was known before counts.
    private async Task<int> AlterationsAsync(CancellationToken cancel) => _store.Log.Quarantine.Holds(LogAuditKind.Stream.Key)
        ? _picture.Alterations
        : (await LogAlarms.OpenAsync(_store.Log, cancel)).Open.Count;

    private IEnumerable<Measurement<int>> Sessions() =>
        _listeners.Counts.Select(listener => new Measurement<int>(listener.Connections, new KeyValuePair<string, object?>("listener", listener.Name)));

    private IEnumerable<Measurement<double>> Lags(Func<ReadModelStatus, double> lag) =>
        _picture.Models.Select(model => new Measurement<double>(lag(model), new KeyValuePair<string, object?>("projection", model.Name)));

    /// <param name="Age">Of the oldest message in the queue, in seconds.</param>
    /// <param name="Models">Those that follow the log.</param>
    /// <param name="Checks">What the last verification of each read model found, if there was one since it went live.</param>
    /// <param name="Alterations">Places where the log is known not to be as it was written.</param>
    internal sealed record Picture(
        QueueCounts Queue, double Age, IReadOnlyList<ReadModelStatus> Models, IReadOnlyDictionary<string, ReadModelCheck> Checks, int Alterations, DateTimeOffset Taken);
}
