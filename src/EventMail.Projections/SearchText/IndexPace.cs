namespace EventMail.Projections.SearchText;

/// <summary>Lets indexing work as fast as it can while little mail comes in, and a small share of its time while it comes in quickly.</summary>
internal sealed class IndexPace(SearchTextOptions options, TimeProvider time)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly Lock _gate = new();
    private long _window;
    private int _arrived;
    private int _arrivedBefore;
    private long _worked;

    /// <summary>New contents were committed.</summary>
    public void Arrived(int contents)
    {
        lock (_gate)
        {
            Turn();
            _arrived += contents;
        }
    }

    /// <summary>Mail comes in quickly.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_gate)
            {
                Turn();
                return Math.Max(_arrived, _arrivedBefore) >= options.BusyContentsPerSecond;
            }
        }
    }

    /// <summary>A batch took this long.</summary>
    public void Worked(TimeSpan time) => _worked = time.Ticks;

    /// <summary>Waits before the next one.</summary>
    public async ValueTask ReadyAsync(CancellationToken cancel)
    {
        var pause = TimeSpan.FromTicks((long)Math.Min(_worked * (1 / options.BusyShare - 1), options.MaxPause.Ticks));
        var since = time.GetTimestamp();
        while (IsBusy && time.GetElapsedTime(since) is var waited && waited < pause)
            await Task.Delay(pause - waited < Look ? pause - waited : Look, time, cancel).ConfigureAwait(false);
    }

    // Counts by the second.
    private void Turn()
    {
        var now = time.GetTimestamp() / time.TimestampFrequency;
        if (now == _window)
            return;
        (_arrivedBefore, _arrived) = (now == _window + 1 ? _arrived : 0, 0);
        _window = now;
    }
}
