using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Retention;

/// <summary>
/// Looks now and then for contents whose time is over, and carries out what was ordered to be erased and is not complete. One node at a time does it; the
/// others leave that turn out.
/// </summary>
public sealed class ReleaseRuns : IAsyncDisposable
{
    // A server that is started every day gets to it all the same; not before it has settled.
    private static readonly TimeSpan First = TimeSpan.FromMinutes(15);

    private readonly ContentRelease _release;
    private readonly ErasureService _erasures;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <param name="every">Zero: nothing is released; what was ordered to be erased is, once.</param>
    public ReleaseRuns(ContentRelease release, ErasureService erasures, TimeSpan every, TimeProvider time, ILoggerFactory loggers)
    {
        (_release, _erasures, _time) = (release, erasures, time);
        _log = loggers.CreateLogger("EventMail.Retention");
        _running = Task.Run(() => RunAsync(every));
    }

    private async Task RunAsync(TimeSpan every)
    {
        try
        {
            await EraseAsync().ConfigureAwait(false);
            if (every <= TimeSpan.Zero)
                return;
            await Task.Delay(every < First ? every : First, _time, _stop.Token).ConfigureAwait(false);
            while (true)
            {
                await EraseAsync().ConfigureAwait(false);
                await ReleaseAsync().ConfigureAwait(false);
                await Task.Delay(every, _time, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Stopped: what is released is, the rest is with the next run.
        }
    }

    // What a process that ended left behind. One that is being carried out elsewhere is waited for, and found complete.
    private async Task EraseAsync()
    {
        try
        {
            foreach (var erasure in await _erasures.ListAsync(open: true, _stop.Token).ConfigureAwait(false))
            {
                var end = await _erasures.CarryOutAsync(erasure.Id, Actor.System, _stop.Token).ConfigureAwait(false);
                _log.Erased(erasure.Id, end.Contents, end.Messages, end.WrappingKeys.Length);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.NotErased(e);
        }
    }

    private async Task ReleaseAsync()
    {
        try
        {
            var began = _time.GetTimestamp();
            if (await _release.RunAsync(dryRun: false, Actor.System, told: null, _stop.Token).ConfigureAwait(false) is { } run)
                _log.ContentsReleased(run.Released, run.Bytes, run.Held, run.Waiting, (long)_time.GetElapsedTime(began).TotalSeconds);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            _log.NotReleased(e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }
}

internal static partial class RetentionLog
{
    [LoggerMessage(1150, LogLevel.Information, "{contents} contents released, {octets} octets; {held} are kept by legal holds, {waiting} wait for their time; {seconds} s")]
    public static partial void ContentsReleased(this ILogger log, long contents, long octets, long held, long waiting, long seconds);

    [LoggerMessage(1152, LogLevel.Information, "Erasure {erasure} is complete: {contents} contents, {messages} messages expunged, {keys} wrapping keys destroyed")]
    public static partial void Erased(this ILogger log, Guid erasure, int contents, int messages, int keys);

    [LoggerMessage(1153, LogLevel.Error, "ALERT: an erasure that was ordered could not be carried out; trying again at the next turn, or with `eventmail erase continue`")]
    public static partial void NotErased(this ILogger log, Exception error);

    [LoggerMessage(1151, LogLevel.Error, "Contents whose time is over could not be released; trying again at the next turn")]
    public static partial void NotReleased(this ILogger log, Exception error);
}
