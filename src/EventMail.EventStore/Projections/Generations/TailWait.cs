using System.Diagnostics;

namespace EventMail.EventStore;

/// <summary>
/// The end of the log is near and cannot be read yet: a transaction that could still write there is open. It is waited for a little longer
/// each time, and after a while it is told which it is.
/// </summary>
internal sealed class TailWait(GenerationSession session, GenerationOptions options, Func<string, Task> report)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    private long _position = -1;
    private long _stoodSince;
    private TimeSpan _wait = Shortest;

    /// <summary>The end of the log, once it can be read up to there.</summary>
    public async Task<long> EndAsync(CancellationToken cancel)
    {
        var (safe, end) = await session.EndAsync(cancel);
        for (; safe < end; (safe, _) = await session.EndAsync(cancel))
            await WaitAsync(safe, cancel);
        return end;
    }

    /// <param name="position">Where the tables stand; what has moved since the last time need not wait.</param>
    public async Task WaitAsync(long position, CancellationToken cancel)
    {
        if (position != _position)
        {
            (_position, _stoodSince, _wait) = (position, Stopwatch.GetTimestamp(), Shortest);
            return;
        }
        if (Stopwatch.GetElapsedTime(_stoodSince) >= options.ProgressInterval
            && await OpenTransaction.OldestAsync(session.Reader, options.ProgressInterval, cancel) is { } open)
            await report(open.ToString());
        await Task.Delay(_wait, cancel);
        _wait = TimeSpan.FromTicks(Math.Min(2 * _wait.Ticks, options.Retry.Ticks));
    }
}
