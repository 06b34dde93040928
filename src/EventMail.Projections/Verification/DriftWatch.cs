using EventMail.EventStore;
using Microsoft.Extensions.Logging;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Projections.Verification;

public sealed record DriftWatchOptions
{
    /// <summary>Between the ends of two verifications; zero: never.</summary>
    public TimeSpan Every { get; init; }

    /// <summary>Events, and rows, that are read in a second.</summary>
    public int Rate { get; init; } = 2000;

    /// <summary>Contents of which the rows that are derived from them are compared, others each time; 0: none.</summary>
    public int Sample { get; init; } = DerivedRowChecks.DefaultSample;

    /// <summary>How often it looks whether it is time: another node may be at it, or a new generation has gone live.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>
/// Verifies the read models behind the mail, again and again: on one node at a time, slowly, and going on where a process ended. What it finds
/// is an alarm (<see cref="DriftAlarms"/>).
/// </summary>
public sealed class DriftWatch : IAsyncDisposable
{
    private readonly EventLog _events;
    private readonly string _connectionString;
    private readonly DriftAlarms _alarms;
    private readonly DriftWatchOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public DriftWatch(EventLog log, string connectionString, DriftAlarms alarms, DriftWatchOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        (_events, _connectionString, _alarms, _options, _time) = (log, connectionString, alarms, options, time);
        _log = loggers.CreateLogger("EventMail.Verification");
        _running = options.Every > TimeSpan.Zero ? Task.Run(RunAsync) : Task.CompletedTask;
    }

    /// <summary>Fresh ones each time: some remember what they wrote. The index of texts is not folded, which is to read every message again: of it a sample is compared.</summary>
    private static IReadOnlyList<IReadModel> Models() => [.. ReadModels.Inline(), .. ReadModels.Asynchronous(null)];

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                if (await IsDueAsync().ConfigureAwait(false))
                    await VerifyAsync().ConfigureAwait(false);
            }
            catch (GenerationBusyException)
            {
                // Another node, or a command, is at it.
            }
            catch (Exception e) when (!_stop.IsCancellationRequested)
            {
                _log.NotVerified(e);
            }
            try
            {
                await Task.Delay(_options.Poll, _time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    // Also what was never verified since it went live, and what an interrupted verification did not come to.
    private async Task<bool> IsDueAsync()
    {
        await using var connection = await _events.DataSource.OpenConnectionAsync(_stop.Token).ConfigureAwait(false);
        var checks = await ReadModelChecks.ReadAsync(connection, _stop.Token).ConfigureAwait(false);
        var before = _time.GetUtcNow() - _options.Every;
        return Models().Any(m => m is { Source: ReadModelSource.Log, Tables.Count: > 0 } && !(checks.GetValueOrDefault(m.Name)?.Checked > before));
    }

    private async Task VerifyAsync()
    {
        var began = Stopwatch.GetTimestamp();
        var why = "";
        var models = Models();
        foreach (var follower in models.OfType<IAsyncProjection>())
            follower.Join(_events);
        var generations = new Generations(new()
        {
            ConnectionString = _connectionString,
            Types = _events.Types,
            DataFolder = Path.GetDirectoryName(_events.Keys.Folder)!,
            Keys = new() { Folder = _events.Keys.Folder },
            Kinds = ReadModels.Kinds,
            Models = models,
            MostEventsPerSecond = _options.Rate,
        });
        List<VerifiedModel> verified = [.. await generations.VerifyAsync([], progress =>
        {
            if (progress.Why is { } reason && reason != why)
                _log.VerificationWaits(string.Join(", ", progress.Models), why = reason);
            return Task.CompletedTask;
        }, _stop.Token).ConfigureAwait(false)];
        if (_options.Sample > 0)
            verified.AddRange(await new DerivedRowChecks(_events).VerifyAsync(
                [], _options.Sample, _ => Task.Delay(TimeSpan.FromSeconds((double)DerivedRowChecks.Page / _options.Rate), _stop.Token), _stop.Token).ConfigureAwait(false));
        await _alarms.NoteAsync(verified, Actor.System, _stop.Token).ConfigureAwait(false);
        _log.Verified(
            verified.Count, verified.Count == 0 ? 0 : verified.Max(m => m.Position), Stopwatch.GetElapsedTime(began).TotalSeconds, verified.Count(m => m.Drifts.Count > 0));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // what it was at goes on at the next start
        _stop.Dispose();
    }
}
