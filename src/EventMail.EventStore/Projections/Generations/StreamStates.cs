using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// The states of the streams that a build has come to, as of its position. So many are kept; what is not is loaded again from the rows
/// that the build has written so far, or folded from its stream. Streams of other applications, and those that cannot be read, are known as such.
/// </summary>
/// <param name="headers">The tables that are built, whose rows hold states.</param>
internal sealed class StreamStates(
    NpgsqlConnection connection, EventReader reader, IReadOnlyDictionary<string, StreamKind> kinds, IReadOnlySet<string> headers, int most)
{
    /// <summary>A stream at the build's position.</summary>
    /// <param name="Kind">Null: it is another application's.</param>
    /// <param name="Fault">Set: it cannot be folded beyond its version.</param>
    internal sealed record Entry(StreamKind? Kind, object State, long Version, string? Fault = null);

    private static readonly Entry Foreign = new(null, "", 0);

    // Two generations: what was asked for since the last time survives.
    private Dictionary<StreamKey, Entry> _young = [];
    private Dictionary<StreamKey, Entry> _old = [];

    public Entry Get(StreamKey key)
    {
        if (_young.TryGetValue(key, out var entry))
            return entry;
        entry = _old[key];
        _young[key] = entry;
        return entry;
    }

    public void Set(StreamKey key, Entry entry) => _young[key] = entry;

    /// <summary>Of what is over nobody will ask again.</summary>
    public void Forget(StreamKey key)
    {
        _young.Remove(key);
        _old.Remove(key);
    }

    public void Clear() => (_young, _old) = ([], []);

    /// <summary>Brings in those of these streams that are not known, each as it stood before a version.</summary>
    /// <param name="beforeLoading">Called before the tables are asked.</param>
    public async Task PrepareAsync(IReadOnlyDictionary<StreamKey, long> firstVersions, Func<Task> beforeLoading, CancellationToken cancel)
    {
        if (_young.Count > most / 2)
            (_young, _old) = ([], _young);
        var unknown = new List<StreamKey>();
        foreach (var key in firstVersions.Keys)
        {
            if (!_young.ContainsKey(key) && !_old.ContainsKey(key))
                unknown.Add(key);
        }
        if (unknown.Count == 0)
            return;
        await beforeLoading();
        foreach (var (kind, keys) in await KindsOfAsync(unknown, cancel))
            await LoadAsync(kind, keys, firstVersions, cancel);
        foreach (var key in unknown)
            _young.TryAdd(key, Foreign);
    }

    private async Task LoadAsync(StreamKind kind, List<StreamKey> keys, IReadOnlyDictionary<StreamKey, long> firstVersions, CancellationToken cancel)
    {
        var older = keys.FindAll(key => firstVersions[key] > 1);
        foreach (var key in keys)
        {
            if (firstVersions[key] == 1)
                _young[key] = new(kind, kind.EmptyHeader(key), 0);
        }
        if (older.Count == 0)
            return;
        var rows = kind.HeaderTable is { } table && headers.Contains(table)
            ? await kind.LoadHeadersAsync(connection, older, cancel)
            : new Dictionary<StreamKey, LoadedState>();
        foreach (var key in older)
        {
            var upTo = firstVersions[key] - 1;
            var entry = rows.TryGetValue(key, out var row) && row.Version <= upTo
                ? new Entry(kind, row.State, row.Version)
                : new(kind, kind.EmptyHeader(key), 0);
            if (entry.Version < upTo)
            {
                await foreach (var e in reader.ReadTailsAsync(connection, [key], [entry.Version], cancel))
                {
                    if (e.Version > upTo)
                        break;
                    entry = Fold(entry, e);
                }
            }
            _young[key] = entry;
        }
    }

    /// <summary>One event further; a fault stays.</summary>
    public static Entry Fold(Entry entry, StoredEvent e)
    {
        if (entry.Kind is not { } kind || entry.Fault is not null)
            return entry;
        try
        {
            return entry with { State = EventReader.Evolve(kind, entry.State, e), Version = e.Version };
        }
        // Whatever a state makes of an event that cannot follow: the stream is left as it is, and the others go on.
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            return entry with { Fault = fault.Message };
        }
    }

    private async Task<Dictionary<StreamKind, List<StreamKey>>> KindsOfAsync(List<StreamKey> keys, CancellationToken cancel)
    {
        const string sql = """
            select s.tenant_id, s.id, s.type from unnest($1::varchar[], $2::uuid[]) as k (tenant_id, id)
            join public.mt_streams s on s.tenant_id = k.tenant_id and s.id = k.id
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new() { Value = keys.Select(k => k.Tenant).ToArray() }, new() { Value = keys.Select(k => k.Id).ToArray() } },
        };
        var found = new Dictionary<StreamKind, List<StreamKey>>();
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            if (await row.IsDBNullAsync(2, cancel) || !kinds.TryGetValue(row.GetString(2), out var kind))
                continue;
            if (!found.TryGetValue(kind, out var of))
                found[kind] = of = [];
            of.Add(new(row.GetString(0), row.GetGuid(1)));
        }
        return found;
    }
}
