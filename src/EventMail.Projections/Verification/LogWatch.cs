using EventMail.Domain.Auditing;
using EventMail.EventStore;
using EventMail.EventStore.Proof;
using EventMail.Projections.Retention;
using Microsoft.Extensions.Logging;
using Stopwatch = System.Diagnostics.Stopwatch;

namespace EventMail.Projections.Verification;

public sealed record LogWatchOptions
{
    /// <summary>Between the beginnings of two rounds; zero: never.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Events that are read in a second.</summary>
    public int Rate { get; init; } = 2000;

    /// <summary>How often it looks whether it is time, and whether what was altered has been put right.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Streams with an altered event are put into quarantine.</summary>
    public bool Quarantine { get; init; }

    /// <summary>Programs older than the hashes ran beside newer ones until then: that events of theirs lack a hash is no alteration.</summary>
    public DateTimeOffset? UnhashedUntil { get; init; }
}

/// <summary>
/// Verifies the hashes of the log behind the mail, round and round: on one node at a time, slowly, and going on where a process ended. What it
/// finds is an alarm (<see cref="LogAlarms"/>).
/// </summary>
public sealed class LogWatch : IAsyncDisposable
{
    private const string Lock = "eventmail log audit";

    private readonly EventLog _events;
    private readonly ChainVerifier _chains;
    private readonly LogAlarms _alarms;
    private readonly LogWatchOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    public LogWatch(EventLog log, LogWatchOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        (_events, _options, _time) = (log, options, time);
        _chains = new(log.DataSource, EventStreams.Kinds);
        _alarms = new(log, options.Quarantine, loggers);
        _log = loggers.CreateLogger("EventMail.Verification");
        _running = options.Every > TimeSpan.Zero ? Task.Run(RunAsync) : Task.Run(ReleaseAsync);
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var alone = await SessionLock.TryTakeAsync(_events, Lock, _stop.Token).ConfigureAwait(false);
                if (alone is not null)
                    await WorkAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (!_stop.IsCancellationRequested)
            {
                _log.LogNotVerified(e);
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

    // It is switched off: nobody would ever find that a stream is as it was written again.
    private async Task ReleaseAsync()
    {
        try
        {
            await _events.Quarantine.ReleaseAsync(null, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.LogNotVerified(e);
        }
    }

    private async Task WorkAsync(CancellationToken cancel)
    {
        await _alarms.ReleaseUnlessHeldAsync(cancel).ConfigureAwait(false);
        await LookAgainAsync(cancel).ConfigureAwait(false);
        var check = await LogChecks.ReadAsync(_events.DataSource, cancel).ConfigureAwait(false);
        if (check is { Ended: not null } && _time.GetUtcNow() - check.Began < _options.Every)
            return;
        await GoRoundAsync(check is { Ended: null } ? check : new(0, _time.GetUtcNow(), null), cancel).ConfigureAwait(false);
    }

    private async Task GoRoundAsync(LogCheck check, CancellationToken cancel)
    {
        var end = await _chains.LastAsync(cancel).ConfigureAwait(false);
        for (var looked = Stopwatch.GetTimestamp(); check.Position < end;)
        {
            var began = Stopwatch.GetTimestamp();
            var upTo = Math.Min(end, check.Position + _options.Rate);
            if (await _chains.StretchAsync(check.Position, upTo, _options.UnhashedUntil, cancel).ConfigureAwait(false) is { Count: > 0 } faults)
                await _alarms.NoteAsync(faults, [], cancel).ConfigureAwait(false);
            check = check with { Position = upTo };
            await LogChecks.WriteAsync(_events.DataSource, check, cancel).ConfigureAwait(false);
            if (Stopwatch.GetElapsedTime(looked) > _options.Poll)
            {
                await LookAgainAsync(cancel).ConfigureAwait(false);
                looked = Stopwatch.GetTimestamp();
            }
            if (upTo < end && TimeSpan.FromSeconds(1) - Stopwatch.GetElapsedTime(began) is { Ticks: > 0 } rest)
                await Task.Delay(rest, cancel).ConfigureAwait(false);
        }

        // What no event by itself tells of.
        var streams = await _chains.StreamsAsync(_options.Rate, cancel).ConfigureAwait(false);
        var still = streams.Select(LogAlarms.KeyOf).ToHashSet();
        var over = new List<AlterationKey>();
        foreach (var key in (await LogAlarms.OpenAsync(_events, cancel).ConfigureAwait(false)).Open.Keys)
            if (!still.Contains(key) && !await IsThereAsync(key, end, cancel).ConfigureAwait(false))
                over.Add(key);
        await _alarms.NoteAsync(streams, over, cancel).ConfigureAwait(false);
        await LogChecks.WriteAsync(_events.DataSource, check with { Ended = _time.GetUtcNow() }, cancel).ConfigureAwait(false);
        _log.LogVerified(check.Position, (_time.GetUtcNow() - check.Began).TotalSeconds, (await LogAlarms.OpenAsync(_events, cancel).ConfigureAwait(false)).Open.Count);
    }

    // So that nobody waits for the next round once a row is as it was.
    private async Task LookAgainAsync(CancellationToken cancel)
    {
        var open = (await LogAlarms.OpenAsync(_events, cancel).ConfigureAwait(false)).Open;
        if (open.Count == 0)
            return;
        var end = await _chains.LastAsync(cancel).ConfigureAwait(false);
        foreach (var key in open.Keys)
        {
            // Rows of streams, and what stands where nothing can stand, are looked at when all of them are.
            if (!IsInLog(key, end) || key.Fault == "stream")
                continue;
            var faults = await _chains.StretchAsync(key.Position!.Value - 1, key.Position!.Value, _options.UnhashedUntil, cancel).ConfigureAwait(false);
            await _alarms.NoteAsync(faults, faults.Any(f => LogAlarms.KeyOf(f) == key) ? [] : [key], cancel).ConfigureAwait(false);
        }
    }

    // At a position that was given out.
    private static bool IsInLog(AlterationKey key, long end) => key.Position is { } position && position > 0 && position <= end;

    private async Task<bool> IsThereAsync(AlterationKey key, long end, CancellationToken cancel) =>
        IsInLog(key, end)
        && (await _chains.StretchAsync(key.Position!.Value - 1, key.Position!.Value, _options.UnhashedUntil, cancel).ConfigureAwait(false)).Any(f => LogAlarms.KeyOf(f) == key);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // what it was at goes on at the next start
        _stop.Dispose();
    }
}
