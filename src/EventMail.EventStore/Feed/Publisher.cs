using Microsoft.Extensions.Logging;

namespace EventMail.EventStore;

/// <summary>
/// The one place where states move: own commits, other nodes' commits and loaded states meet here under one lock, so that each
/// stream's cached state only goes forward and followers see every stream's events in order.
/// </summary>
internal sealed class Publisher(StateCache cache, CommitFeed feed, ILogger log)
{
    /// <summary>A load on its way, and the highest version heard of since it began.</summary>
    private sealed class Load
    {
        public int Users;
        public long Noticed;
    }

    private readonly Lock _gate = new();
    private readonly Dictionary<StreamKey, Load> _loads = [];
    private readonly HashSet<StreamKey> _inFlight = [];
    private readonly HashSet<StreamKey> _postponed = [];
    private TaskCompletionSource? _settled;

    /// <summary>These streams' rows are being written: what the database shows of them may be our own, not yet published.</summary>
    public void Depart(IReadOnlyList<StreamChange> changes)
    {
        lock (_gate)
            foreach (var change in changes)
                _inFlight.Add(change.Key);
    }

    /// <summary>The write is over; answers the streams that others' commits were heard of meanwhile.</summary>
    public IReadOnlyList<StreamKey> Arrive()
    {
        lock (_gate)
        {
            _inFlight.Clear();
            _settled?.SetResult();
            _settled = null;
            if (_postponed.Count == 0)
                return [];
            StreamKey[] postponed = [.. _postponed];
            _postponed.Clear();
            return postponed;
        }
    }

    /// <summary>Completes when the write that is under way now, if any, is over.</summary>
    public Task SettledAsync()
    {
        lock (_gate)
            return _inFlight.Count == 0
                ? Task.CompletedTask
                : (_settled ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
    }

    /// <summary>Publishes what this node committed.</summary>
    public void PublishOwn(CommitBatch batch)
    {
        lock (_gate)
        {
            StreamChange[]? changes = null;
            for (var i = 0; i < batch.Changes.Count; i++)
            {
                var change = batch.Changes[i];
                Notice(change.Key, change.ToVersion);
                var moved = Move(change);
                if (ReferenceEquals(moved, change))
                    continue;
                changes ??= [.. batch.Changes];
                changes[i] = moved;
            }
            feed.Publish(changes is null ? batch : batch with { Changes = changes });
        }
    }

    // The cached state may have been replaced by a richer one while the commit was under way: then it is that one that moves on.
    private StreamChange Move(StreamChange change)
    {
        if (!cache.TryGet(change.Key, out var cached, out _) || ReferenceEquals(cached.State, change.Before)
            || cached.Version < change.FromVersion - 1)
        {
            cache.Put(change.Kind, change.Key, change.Reached);
            return change;
        }
        if (cached.Version >= change.ToVersion)
            return change;
        var state = cached;
        try
        {
            foreach (var e in change.Events)
                if (e.Version > cached.Version)
                    state = EventReader.Fold(change.Kind, state, e);
        }
        catch (Exception e)
        {
            // It is committed all the same; the next one to need the state loads it.
            log.StreamUnreadable(e, change.Kind.Name, change.Key);
            cache.Remove(change.Key);
            return change;
        }
        cache.Put(change.Kind, change.Key, state);
        return cached.Version == change.FromVersion - 1 ? change with { Before = cached.State, After = state.State } : change;
    }

    /// <summary>Folds events of cached streams that were committed elsewhere, and publishes those that are new.</summary>
    public void PublishRemote(IEnumerable<StoredEvent> events)
    {
        lock (_gate)
        {
            var changes = new List<StreamChange>();
            foreach (var stream in events.GroupBy(e => e.Stream))
            {
                if (!cache.TryGet(stream.Key, out var cached, out var kind))
                    continue;
                if (_inFlight.Contains(stream.Key))
                {
                    _postponed.Add(stream.Key);
                    continue;
                }
                if (Follow(kind, cached, stream) is { } change)
                    changes.Add(change);
            }
            if (changes.Count > 0)
                feed.Publish(new(changes, [], Remote: true));
        }
    }

    private StreamChange? Follow(StreamKind kind, LoadedState cached, IGrouping<StreamKey, StoredEvent> events)
    {
        var state = cached;
        var fresh = new List<StoredEvent>();
        try
        {
            foreach (var e in events)
            {
                var follows = e.Part == 1 ? e.Version == state.Version + 1 : e.Version == state.Version && state.Version > cached.Version;
                if (!follows)
                    continue; // known, or beyond a gap that the next catch-up fills
                state = EventReader.Fold(kind, state, e);
                fresh.Add(e);
            }
        }
        catch (Exception e)
        {
            // The next command that needs the stream loads it, and fails with the reason.
            log.StreamUnreadable(e, kind.Name, events.Key);
            cache.Remove(events.Key);
            return null;
        }
        if (fresh.Count == 0)
            return null;
        cache.Put(kind, events.Key, state);
        return new(kind, events.Key, cached.State, state.State, cached.Version + 1, state.Version, fresh);
    }

    /// <summary>
    /// Up to which version changes from <paramref name="fromVersion"/> on are news to the followers: all while the stream is not
    /// cached, else those that it was loaded with; 0 when they were told.
    /// </summary>
    public long Untold(StreamKey key, long fromVersion)
    {
        lock (_gate)
            return !cache.TryGet(key, out _, out _) ? long.MaxValue
                : cache.LoadedAt(key) is var loadedAt && loadedAt >= fromVersion ? loadedAt
                : 0;
    }

    /// <summary>
    /// Publishes another node's change that was read up to what <see cref="Untold"/> said, and caches it if nothing newer is there.
    /// False when it must be read again, once what is under way is over.
    /// </summary>
    public bool TryPublishFollowed(StreamChange change, long upTo)
    {
        lock (_gate)
        {
            if (_inFlight.Contains(change.Key))
                return false;
            var isCached = cache.TryGet(change.Key, out var cached, out _);
            if (isCached && cached.Version >= change.ToVersion)
            {
                if (cache.LoadedAt(change.Key) < change.FromVersion)
                    return true;
                if (upTo == long.MaxValue || cache.LoadedAt(change.Key) > upTo)
                    return false; // it was loaded since: now it is known what came with that
            }
            else
            {
                if (!isCached && upTo < long.MaxValue)
                    return false;
                cache.Put(change.Kind, change.Key, change.Reached);
            }
            cache.Told(change.Key);
            feed.Publish(new([change], [], Remote: true));
            return true;
        }
    }

    /// <summary>What other nodes committed, whether this one holds it or not.</summary>
    public void Announce(IReadOnlyList<StreamMoved> moved) => feed.Announce(moved);

    /// <summary>Drops a stream whose state cannot be brought up to date.</summary>
    public void Forget(StreamKey key)
    {
        lock (_gate)
            cache.Remove(key);
    }

    /// <summary>Drops the states of a subject's streams, which say what nobody is to know any more.</summary>
    /// <param name="subject">Null: those of whom it is are told of by their names (<see cref="SubjectKeys.ForgetAllAsync"/>).</param>
    public void Forget(string? subject)
    {
        if (subject is null)
            return;
        foreach (var key in cache.Keys)
            if (DataSubject.Has(subject, key))
                Forget(key);
    }

    /// <summary>A load of these streams begins: what is heard of them from here on must not be lost when it is installed.</summary>
    public void BeginLoad(IEnumerable<StreamKey> keys)
    {
        lock (_gate)
        {
            foreach (var key in keys)
            {
                if (!_loads.TryGetValue(key, out var load))
                    _loads[key] = load = new();
                load.Users++;
            }
        }
    }

    public void EndLoad(IEnumerable<StreamKey> keys)
    {
        lock (_gate)
        {
            foreach (var key in keys)
                if (--_loads[key].Users == 0)
                    _loads.Remove(key);
        }
    }

    /// <summary>
    /// Caches a loaded state unless the cache is ahead of it; <paramref name="current"/> is then the cached one. False when a later
    /// version was heard of while it was loaded: load again.
    /// </summary>
    public bool TryInstall(StreamKind kind, StreamKey key, LoadedState loaded, bool replace, out LoadedState current)
    {
        lock (_gate)
        {
            var isCached = cache.TryGet(key, out current, out _);
            if (isCached && (current.Version > loaded.Version || (current.Version == loaded.Version && !replace)))
                return true;
            // At the same version it is only a richer state: what it holds was told, or not, before.
            var isNews = kind.FollowRemote && (!isCached || current.Version < loaded.Version);
            // The richer state knows nothing of its last event: at the same version it is the same one.
            if (isCached && current.Version == loaded.Version && loaded.Last.Hash is null)
                loaded = loaded with { Last = current.Last };
            current = loaded;
            if (_loads.TryGetValue(key, out var load) && load.Noticed > loaded.Version)
                return false;
            cache.Put(kind, key, loaded, isNews);
            return true;
        }
    }

    /// <summary>What the next event follows has been read: the cached state knows it from here on, if it still stands at this version.</summary>
    public void Follows(StreamKey key, LoadedState state)
    {
        lock (_gate)
            if (cache.TryGet(key, out var cached, out var kind) && cached.Version == state.Version)
                cache.Put(kind, key, cached with { Last = state.Last });
    }

    /// <summary>Another node committed up to this version. True when the cached state is behind it.</summary>
    public bool Notice(StreamKey key, long version)
    {
        lock (_gate)
        {
            if (_loads.TryGetValue(key, out var load))
                load.Noticed = Math.Max(load.Noticed, version);
            return cache.TryGet(key, out var cached, out _) && cached.Version < version;
        }
    }
}
