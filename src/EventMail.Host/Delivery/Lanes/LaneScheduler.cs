namespace EventMail.Host.Delivery.Lanes;

/// <summary>
/// Runs what it is given, each in its lane: no lane takes another one's turn, and none more than its limits allow. Thread-safe.
/// </summary>
/// <typeparam name="T">What is run.</typeparam>
internal sealed class LaneScheduler<T> : IDisposable
{
    // So many lanes are not worth looking for those that may be forgotten.
    private const int LanesKept = 1_000;

    private readonly LaneLimits _limits;
    private readonly TimeProvider _time;
    private readonly Func<T, LaneTurn, Task<LaneOutcome>> _run;
    private readonly Action _roomFound;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _lanes = [];
    private readonly Queue<Entry> _ready = new();
    private readonly PriorityQueue<Entry, DateTimeOffset> _paused = new();
    private readonly ITimer _timer;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _forgetAt = LanesKept;
    private int _running;
    private int _waiting;
    private bool _closed;

    /// <param name="run">Never throws.</param>
    /// <param name="roomFound">Called when <see cref="Room"/> or what is busy has changed; quick.</param>
    public LaneScheduler(LaneLimits limits, TimeProvider time, Func<T, LaneTurn, Task<LaneOutcome>> run, Action roomFound)
    {
        (_limits, _time, _run, _roomFound) = (limits, time, run, roomFound);
        _timer = time.CreateTimer(_ => Resume(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private sealed class Entry(Lane lane)
    {
        public Lane Lane => lane;
        public Queue<T> Waiting { get; } = new();
        public bool IsQueued { get; set; }
    }

    /// <summary>
    /// How many more should be here, so that whatever ends is followed at once. What waits for its own lane does not count: it holds up nobody.
    /// </summary>
    public int Room
    {
        get
        {
            lock (_gate)
            {
                var now = _time.GetUtcNow();
                var next = _closed ? _limits.Claim : _lanes.Values.Where(entry => entry.Lane.NextStart(now) <= now).Sum(entry => entry.Waiting.Count);
                // Not one by one: what is claimed together costs one question.
                return next <= _limits.Claim / 2 ? _limits.Claim - next : 0;
            }
        }
    }

    /// <summary>Running and waiting.</summary>
    public (int Running, int Waiting) Load
    {
        get
        {
            lock (_gate)
                return (_running, _waiting);
        }
    }

    /// <summary>What is handed over as it is submitted would not wait too long in this lane.</summary>
    public bool HasRoomIn(string key)
    {
        lock (_gate)
            return !_closed && _waiting < _limits.AllHandedOver && (!_lanes.TryGetValue(key, out var entry) || entry.Waiting.Count < _limits.HandedOver);
    }

    /// <summary>The lanes that have enough to do.</summary>
    public HashSet<string> Full()
    {
        lock (_gate)
            return [.. _lanes.Values.Where(entry => entry.Waiting.Count >= _limits.Waiting).Select(entry => entry.Lane.Key)];
    }

    /// <summary>False when it is closed.</summary>
    /// <param name="hastened">Since then somebody wants it tried: what was known of the lane before does not count.</param>
    public bool Add(string key, T item, DateTimeOffset? hastened = null)
    {
        lock (_gate)
        {
            if (_closed)
                return false;
            if (!_lanes.TryGetValue(key, out var entry))
            {
                Forget();
                _lanes[key] = entry = new(new(key, _limits));
            }
            if (hastened is { } since)
                entry.Lane.Reopen(since);
            entry.Waiting.Enqueue(item);
            _waiting++;
            Queue(entry);
        }
        Pump();
        return true;
    }

    /// <summary>Begins nothing any more.</summary>
    /// <returns>What was not begun, and the end of what was.</returns>
    public (IReadOnlyList<T> NotBegun, Task Ended) Close()
    {
        lock (_gate)
        {
            _closed = true;
            var left = _lanes.Values.SelectMany(entry => entry.Waiting).ToList();
            foreach (var entry in _lanes.Values)
                entry.Waiting.Clear();
            _waiting = 0;
            if (_running == 0)
                _drained.TrySetResult();
            return (left, _drained.Task);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Resume()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            while (_paused.TryPeek(out var entry, out var at) && at <= now)
            {
                _paused.Dequeue();
                entry.IsQueued = false;
                Queue(entry);
            }
            SetTimer(now);
        }
        Pump();
    }

    private void Pump()
    {
        while (TakeNext() is var (entry, item, turn) && entry is not null)
            _ = RunAsync(entry, item!, turn);
    }

    private (Entry? Entry, T? Item, LaneTurn Turn) TakeNext()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            while (!_closed && _running < _limits.Concurrency && _ready.TryDequeue(out var entry))
            {
                entry.IsQueued = false;
                if (entry.Waiting.Count == 0 || entry.Lane.NextStart(now) is not { } start)
                    continue;
                if (start > now)
                {
                    entry.IsQueued = true;
                    _paused.Enqueue(entry, start);
                    SetTimer(now);
                    continue;
                }
                var item = entry.Waiting.Dequeue();
                _waiting--;
                _running++;
                var turn = entry.Lane.Begin(now);
                // At the end of the row: the others come first.
                Queue(entry);
                return (entry, item, turn);
            }
            return default;
        }
    }

    private async Task RunAsync(Entry entry, T item, LaneTurn turn)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var outcome = await _run(item, turn);
        lock (_gate)
        {
            _running--;
            var now = _time.GetUtcNow();
            entry.Lane.End(turn, outcome, now);
            Queue(entry);
            if (_closed && _running == 0)
                _drained.TrySetResult();
        }
        Pump();
        _roomFound();
    }

    // A lane is worth its memory while somebody is in it or it remembers a failure.
    private void Forget()
    {
        if (_lanes.Count < _forgetAt)
            return;
        var now = _time.GetUtcNow();
        foreach (var entry in _lanes.Values.Where(entry => entry is { Waiting.Count: 0, IsQueued: false } && entry.Lane.IsForgettable(now)).ToList())
            _lanes.Remove(entry.Lane.Key);
        _forgetAt = Math.Max(LanesKept, 2 * _lanes.Count);
    }

    private void Queue(Entry entry)
    {
        if (entry.IsQueued || entry.Waiting.Count == 0)
            return;
        entry.IsQueued = true;
        _ready.Enqueue(entry);
    }

    private void SetTimer(DateTimeOffset now)
    {
        if (_paused.TryPeek(out _, out var at))
            _timer.Change(at > now ? at - now : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
