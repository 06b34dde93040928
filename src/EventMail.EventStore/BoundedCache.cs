using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace EventMail.EventStore;

/// <summary>
/// A cache of at most about twice <paramref name="generation"/> entries: what was not asked for while a generation filled up is
/// forgotten. Reading takes no lock. Thread-safe.
/// </summary>
public sealed class BoundedCache<TKey, TValue>(int generation, IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    private readonly Lock _turning = new();
    private volatile ConcurrentDictionary<TKey, TValue> _young = new(comparer ?? EqualityComparer<TKey>.Default);
    private volatile ConcurrentDictionary<TKey, TValue> _old = new(comparer ?? EqualityComparer<TKey>.Default);
    private int _size;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var (young, old) = (_young, _old);
        if (young.TryGetValue(key, out value))
            return true;
        if (!old.TryGetValue(key, out value))
            return false;
        if (!young.TryAdd(key, value))
            return true;
        // Remove takes the key out of the old one first: a value that was removed meanwhile must not come back. From a generation
        // that has gone nothing is removed any more, so nothing is brought over from it either.
        if (old.ContainsKey(key) && ReferenceEquals(old, _old))
            Grow();
        else
            young.TryRemove(key, out _);
        return true;
    }

    public void Set(TKey key, TValue value)
    {
        if (_young.TryAdd(key, value))
            Grow();
        else
            _young[key] = value;
    }

    /// <summary>The value that is there, or the one that is put there; one value per key, also when two threads ask at once.</summary>
    public TValue GetOrAdd(TKey key, Func<TKey, TValue> make)
    {
        lock (_turning)
        {
            if (TryGet(key, out var value))
                return value;
            value = make(key);
            Set(key, value);
            return value;
        }
    }

    public void Remove(TKey key)
    {
        // A turn between the two would carry the value past both.
        lock (_turning)
        {
            _old.TryRemove(key, out _);
            _young.TryRemove(key, out _);
        }
    }

    /// <summary>What is in it, some of it perhaps twice.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> Entries => _young.Concat(_old);

    public void Clear()
    {
        lock (_turning)
        {
            _old = new(_old.Comparer);
            _young = new(_old.Comparer);
            _size = 0;
        }
    }

    // Counting insertions is cheaper than ConcurrentDictionary.Count, which takes all its locks.
    private void Grow()
    {
        if (Interlocked.Increment(ref _size) < generation)
            return;
        lock (_turning)
        {
            if (_size < generation)
                return;
            _old = _young;
            _young = new(_old.Comparer);
            _size = 0;
        }
    }
}
