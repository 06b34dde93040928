using Npgsql;

namespace EventMail.EventStore;

/// <summary>Brings streams' states into the cache, and up to date.</summary>
internal sealed class StateLoader(NpgsqlDataSource source, EventReader reader, StateCache cache, Publisher publisher, Quarantine quarantine)
{
    /// <summary>Loads states as of now and caches them.</summary>
    public async Task<IReadOnlyDictionary<StreamKey, LoadedState>> LoadAsync(
        StreamKind kind, IReadOnlyList<StreamKey> keys, NpgsqlConnection connection, CancellationToken cancel)
    {
        var states = new Dictionary<StreamKey, LoadedState>(keys.Count);
        publisher.BeginLoad(keys);
        try
        {
            while (states.Count < keys.Count)
            {
                var wanted = keys.Where(k => !states.ContainsKey(k)).ToList();
                var loaded = await kind.LoadAsync(connection, reader, wanted, cancel);
                foreach (var key in wanted)
                {
                    var state = loaded.TryGetValue(key, out var found) ? found : new(kind.Empty(key), 0);
                    if (publisher.TryInstall(kind, key, state, replace: false, out var current))
                        states[key] = current;
                }
            }
        }
        finally
        {
            publisher.EndLoad(keys);
        }
        return states;
    }

    public async Task<LoadedState> LoadAsync(StreamRef stream, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        return (await LoadAsync(stream.Kind, [stream.Key], connection, cancel))[stream.Key];
    }

    /// <summary>States from the cache, the others loaded.</summary>
    /// <param name="catchUp">What is cached may be behind others' commits.</param>
    public async Task<IReadOnlyDictionary<StreamKey, LoadedState>> RefreshAsync(
        StreamKind kind, IReadOnlyList<StreamKey> keys, bool catchUp, CancellationToken cancel)
    {
        var states = new Dictionary<StreamKey, LoadedState>(keys.Count);
        if (catchUp)
            await CatchUpAsync(keys, cancel);
        var cold = new List<StreamKey>();
        foreach (var key in keys)
        {
            if (cache.TryGet(key, out var state, out _))
                states[key] = state;
            else
                cold.Add(key);
        }
        if (cold.Count == 0)
            return states;
        await using var connection = await source.OpenConnectionAsync(cancel);
        foreach (var (key, state) in await LoadAsync(kind, cold, connection, cancel))
            states[key] = state;
        return states;
    }

    /// <summary>Reads what was committed above the cached versions of these streams, and publishes it.</summary>
    public async Task CatchUpAsync(IEnumerable<StreamKey> keys, NpgsqlConnection connection, CancellationToken cancel)
    {
        var cached = new List<StreamKey>();
        var versions = new List<long>();
        foreach (var key in keys)
        {
            if (!cache.TryGet(key, out var state, out _))
                continue;
            cached.Add(key);
            versions.Add(state.Version);
        }
        if (cached.Count == 0)
            return;
        var events = new List<StoredEvent>();
        await foreach (var e in reader.ReadTailsAsync(connection, cached, [.. versions], cancel))
            events.Add(e);
        if (events.Count > 0)
            publisher.PublishRemote(events);
    }

    public async Task CatchUpAsync(IEnumerable<StreamKey> keys, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        await CatchUpAsync(keys, connection, cancel);
    }

    /// <summary>The state with everything committed so far, even what the cache may not show yet because it is being published.</summary>
    public async Task<LoadedState> RefreshAsync(StreamRef stream, LoadedState state, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        var events = new List<StoredEvent>();
        await foreach (var e in reader.ReadTailsAsync(connection, [stream.Key], [state.Version], cancel))
            events.Add(e);
        if (events.Count == 0)
            return state;
        publisher.PublishRemote(events);
        try
        {
            foreach (var e in events)
                state = EventReader.Fold(stream.Kind, state, e);
        }
        catch (DamagedStreamException e)
        {
            quarantine.Found(e.Row);
            throw;
        }
        return state;
    }

    /// <summary>Caches a richer state; one that lags behind is brought up to date first.</summary>
    public async Task InstallAsync(StreamRef stream, LoadedState state, CancellationToken cancel)
    {
        publisher.BeginLoad([stream.Key]);
        try
        {
            do
            {
                await using var connection = await source.OpenConnectionAsync(cancel);
                state = await reader.FoldTailAsync(stream.Kind, connection, stream.Key, state, null, cancel);
            }
            while (!publisher.TryInstall(stream.Kind, stream.Key, state, replace: true, out var current) || current.Version > state.Version);
        }
        finally
        {
            publisher.EndLoad([stream.Key]);
        }
    }
}
