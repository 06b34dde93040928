namespace EventMail.Projections.Accounts;

/// <summary>The failures of one address or account within a sliding window, and whether it is locked out. Thread-safe.</summary>
/// <param name="limit">More than this many within the window are too many.</param>
public sealed class FailureCounter(int limit, TimeSpan window)
{
    private readonly long[] _times = new long[limit + 1];
    private readonly Lock _lock = new();
    private int _count;
    private int _next;
    private long _lockedUntil;
    private long _nextTurn;
    private bool _episode;

    /// <summary>Ticks until the lock-out ends, or 0.</summary>
    public long LockedFor(long now) => Math.Max(0, Volatile.Read(ref _lockedUntil) - now);

    /// <summary>Takes over a lock-out that another node decided, or this one before a restart.</summary>
    public void LockUntil(long until)
    {
        lock (_lock)
            _lockedUntil = Math.Max(_lockedUntil, until);
    }

    /// <summary>Counts a failure.</summary>
    /// <param name="lockFor">Zero for a counter that only paces.</param>
    /// <returns>How many there are in the window, and whether this one began an episode.</returns>
    public (int Failures, bool Begins) Add(long now, TimeSpan lockFor)
    {
        lock (_lock)
        {
            Forget(now);
            _times[_next] = now;
            _next = (_next + 1) % _times.Length;
            _count = Math.Min(_count + 1, _times.Length);
            if (_count <= limit)
                return (_count, false);
            if (lockFor > TimeSpan.Zero)
            {
                var begins = _lockedUntil <= now;
                _lockedUntil = Math.Max(_lockedUntil, now + lockFor.Ticks);
                return (_count, begins);
            }
            var first = !_episode;
            _episode = true;
            return (_count, first);
        }
    }

    /// <summary>There were too many within the window.</summary>
    public bool IsPast(long now)
    {
        lock (_lock)
        {
            Forget(now);
            return _count > limit;
        }
    }

    /// <summary>Takes the next turn when there were too many failures: how long to wait for it, in ticks; -1 when too long.</summary>
    public long TakeTurn(long now, TimeSpan pace, TimeSpan longest)
    {
        lock (_lock)
        {
            Forget(now);
            if (_count <= limit)
                return 0;
            var turn = Math.Max(now, _nextTurn);
            if (turn - now > longest.Ticks)
                return -1;
            _nextTurn = turn + pace.Ticks;
            return turn - now;
        }
    }

    private void Forget(long now)
    {
        while (_count > 0 && _times[(_next - _count + _times.Length) % _times.Length] <= now - window.Ticks)
            _count--;
        if (_count <= limit)
            _episode = false;
    }
}
