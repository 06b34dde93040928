using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace EventMail.EventStore;

/// <summary>
/// The states of the streams used last, bounded by their weights. Reading takes no lock; writers hold the <see cref="Publisher"/>'s.
/// Which to drop is found by a clock: an entry that was read since the hand last passed stays for another round.
/// </summary>
internal sealed class StateCache(long capacity)
{
    private sealed record Held(StreamKind Kind, LoadedState State, int Weight);

    private sealed class Entry(StreamKey key, Held held)
    {
        public readonly StreamKey Key = key;
        public volatile Held Held = held;
        public long LoadedAt; // guarded by the Publisher's lock
        public volatile bool Used;
        public bool Gone;
    }

    // Places in the clock of entries that are gone: when they are more than this and more than half, they are swept out.
    private const int FewGone = 1000;

    // How far the hand goes at most for one entry: what is still too much then goes with the next ones.
    private const int MaxSteps = 1000;

    private readonly ConcurrentDictionary<StreamKey, Entry> _entries = new();
    private readonly ConcurrentDictionary<StreamKey, int> _held = new();
    private readonly Queue<Entry> _clock = new();
    private int _gone;

    public long Weight { get; private set; }

    public int Count => _entries.Count;

    public bool TryGet(StreamKey key, out LoadedState state, [MaybeNullWhen(false)] out StreamKind kind)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            state = default;
            kind = null;
            return false;
        }
        if (!entry.Used)
            entry.Used = true;
        (kind, state, _) = entry.Held;
        return true;
    }

    /// <param name="wasLoaded">Not moved there by events that were told of: see <see cref="LoadedAt"/>.</param>
    public void Put(StreamKind kind, StreamKey key, LoadedState state, bool wasLoaded = false)
    {
        if (kind.IsOver(state.State))
        {
            Remove(key);
            return;
        }
        var held = new Held(kind, state, Math.Max(1, kind.Weight(state.State)));
        if (_entries.TryGetValue(key, out var entry))
        {
            Weight += held.Weight - entry.Held.Weight;
            entry.Held = held;
            entry.Used = true;
        }
        else
        {
            entry = new(key, held);
            _entries[key] = entry;
            _clock.Enqueue(entry);
            Weight += held.Weight;
        }
        if (wasLoaded)
            entry.LoadedAt = state.Version;
        // The newest stays even when it is heavier than the whole cache: whoever put it there is about to use it.
        for (var step = 0; Weight > capacity && _clock.Count > 1 && step < MaxSteps; step++)
        {
            var candidate = _clock.Dequeue();
            if (candidate.Gone)
            {
                _gone--;
                continue;
            }
            if (candidate == entry || candidate.Used || _held.ContainsKey(candidate.Key))
            {
                candidate.Used = candidate == entry;
                _clock.Enqueue(candidate);
                continue;
            }
            _entries.TryRemove(candidate.Key, out _);
            Weight -= candidate.Held.Weight;
        }
    }

    /// <summary>The version that the state was loaded at: followers were not told of what led up to it. 0 when they were.</summary>
    public long LoadedAt(StreamKey key) => _entries.TryGetValue(key, out var entry) ? entry.LoadedAt : 0;

    public void Told(StreamKey key)
    {
        if (_entries.TryGetValue(key, out var entry))
            entry.LoadedAt = 0;
    }

    public void Remove(StreamKey key)
    {
        // Its place in the clock stays until the hand comes by: it must not count any more then.
        if (!_entries.TryRemove(key, out var entry))
            return;
        Weight -= entry.Held.Weight;
        entry.Gone = true;
        if (++_gone > FewGone && _gone > _clock.Count / 2)
            Sweep();
    }

    // While there is room the hand does not move.
    private void Sweep()
    {
        for (var left = _clock.Count; left > 0; left--)
        {
            var entry = _clock.Dequeue();
            if (!entry.Gone)
                _clock.Enqueue(entry);
        }
        _gone = 0;
    }

    /// <summary>Keeps a stream's state, whenever there is one, until it is released as often.</summary>
    public void Hold(StreamKey key) => _held.AddOrUpdate(key, 1, static (_, count) => count + 1);

    public void Release(StreamKey key)
    {
        while (_held.TryGetValue(key, out var count))
        {
            if (count == 1 ? _held.TryRemove(new(key, 1)) : _held.TryUpdate(key, count - 1, count))
                return;
        }
    }

    public IEnumerable<StreamKey> Keys => _entries.Keys;
}
