using System.Runtime.CompilerServices;

namespace EventMail.EventStore;

/// <summary>
/// Reads the log for all that follow it on this node: a page is read and decoded once, and handed to every follower that comes by while it is
/// kept. Who is further behind reads alone until it is where the others are.
/// </summary>
internal sealed class LogTail(EventReader reader)
{
    /// <summary>Events that are kept for followers that are a little behind.</summary>
    public const int MostKept = 4 * EventReader.PageSize;

    private static readonly TimeSpan MaxWait = TimeSpan.FromMilliseconds(100);

    // Complete above the one position and up to the other, whatever is committed later.
    private sealed record Page(long After, long UpTo, IReadOnlyList<StoredEvent> Events);

    private readonly Lock _gate = new();
    private readonly List<Page> _pages = [];
    private readonly Dictionary<long, Task<Page>> _reading = [];
    private readonly List<Follower> _followers = [];
    private long _reads;
    private long _forgotten;

    /// <summary>Pages that were read from the log.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>A place in the log. Pages are kept for it until it is disposed.</summary>
    public sealed class Follower(LogTail tail) : IDisposable
    {
        internal long Position { get; set; } = long.MaxValue;

        public void Dispose() => tail.Leave(this);
    }

    public Follower Join()
    {
        var follower = new Follower(this);
        lock (_gate)
            _followers.Add(follower);
        return follower;
    }

    private void Leave(Follower follower)
    {
        lock (_gate)
        {
            _followers.Remove(follower);
            Drop();
        }
    }

    /// <summary>
    /// All events after a position that were committed before the call, in pages of this size, the last one perhaps smaller, none of which ends within a row; as
    /// <see cref="EventReader.ReadAllAsync"/> without gaps.
    /// </summary>
    public async IAsyncEnumerable<IReadOnlyList<StoredEvent>> ReadAsync(
        Follower follower, long after, int pageSize, [EnumeratorCancellation] CancellationToken cancel)
    {
        long? target = null;
        var page = new List<StoredEvent>();
        for (var wait = TimeSpan.FromMilliseconds(1); ; wait = wait * 2 < MaxWait ? wait * 2 : MaxWait)
        {
            var (safe, last) = await reader.AdvanceAsync(cancel);
            target ??= last;
            for (var end = Math.Min(safe, target.Value); after < end;)
            {
                MoveTo(follower, after);
                var read = await PageAsync(after, end, cancel);
                foreach (var e in read.Events)
                {
                    if (e.Sequence <= after)
                        continue;
                    page.Add(e);
                    if (page.Count < pageSize || !e.EndsRow)
                        continue;
                    yield return page;
                    page = new(pageSize);
                }
                after = read.UpTo;
            }
            MoveTo(follower, after);
            if (safe >= target)
                break;
            await Task.Delay(wait, cancel);
        }
        if (page.Count > 0)
            yield return page;
    }

    /// <summary>
    /// A subject's key is gone: what was opened with it is kept for nobody, and what is being read now neither. Who was handed such a page before is
    /// done with it when it is folded.
    /// </summary>
    /// <param name="subject">Null: it may be anybody's.</param>
    public void Forget(string? subject)
    {
        lock (_gate)
        {
            _forgotten++;
            _reading.Clear();
            _pages.RemoveAll(page => subject is null || page.Events.Any(e => DataSubject.Has(subject, e.Stream)));
        }
    }

    private void MoveTo(Follower follower, long position)
    {
        lock (_gate)
        {
            follower.Position = position;
            Drop();
        }
    }

    private Task<Page> PageAsync(long after, long end, CancellationToken cancel)
    {
        lock (_gate)
        {
            if (_pages.Find(p => p.After <= after && after < p.UpTo) is { } kept)
                return Task.FromResult(kept);
            // Whoever gives up leaves it to the others.
            var forgotten = _forgotten;
            if (!_reading.TryGetValue(after, out var reading))
                _reading[after] = reading = Task.Run(() => ReadAsync(after, end, forgotten), CancellationToken.None);
            return reading.WaitAsync(cancel);
        }
    }

    private async Task<Page> ReadAsync(long after, long end, long forgotten)
    {
        try
        {
            Interlocked.Increment(ref _reads);
            var events = await reader.ReadPageAsync(after, end, CancellationToken.None);
            var page = new Page(after, events.Count < EventReader.PageSize ? end : events[^1].Sequence, events);
            lock (_gate)
            {
                if (forgotten == _forgotten)
                    _pages.Add(page);
                Drop();
            }
            return page;
        }
        finally
        {
            lock (_gate)
                if (forgotten == _forgotten)
                    _reading.Remove(after);
        }
    }

    // What every follower has behind it, and the oldest of what is too much.
    private void Drop()
    {
        var behind = _followers.Count == 0 ? long.MaxValue : _followers.Min(f => f.Position);
        _pages.RemoveAll(p => p.UpTo <= behind);
        var kept = _pages.Sum(p => p.Events.Count);
        while (kept > MostKept)
        {
            kept -= _pages[0].Events.Count;
            _pages.RemoveAt(0);
        }
    }
}
