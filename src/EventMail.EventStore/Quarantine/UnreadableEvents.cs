using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>A row of the log that cannot be read, and since when that is known.</summary>
/// <param name="CanBeRead">It is what its type says, and yet cannot follow the events before it: whoever folds its stream from the beginning ends there.</param>
public sealed record UnreadableRow(long Sequence, StreamKey Stream, long Version, string Type, string Error, DateTimeOffset Found, bool CanBeRead = false)
{
    /// <summary>It can be read, and its hash says that it is not what was written.</summary>
    public bool IsAltered { get; init; }

    internal static UnreadableRow Of(StoredEvent e, string error) => new(e.Sequence, e.Stream, e.Version, e.Type, error, DateTimeOffset.UtcNow);
}

/// <summary>eventmail.unreadable_event: what of the log could not be read, so that somebody repairs it.</summary>
public static class UnreadableEvents
{
    private const string Add = """
        insert into eventmail.unreadable_event (seq_id, tenant_id, stream_id, version, type, error, digest, altered)
        values ($1, $2, $3, $4, $5, $6, case when $7 then (select sha256(convert_to(data::text, 'UTF8')) from public.mt_events where seq_id = $1) end, $8)
        on conflict (seq_id) do update set error = excluded.error, digest = excluded.digest, altered = excluded.altered or unreadable_event.altered
        """;

    private const string All = """
        select u.seq_id, u.tenant_id, u.stream_id, u.version, u.type, u.error, u.found, u.digest is not null,
          e.seq_id is null or (u.digest is not null and u.digest <> sha256(convert_to(e.data::text, 'UTF8'))), u.altered
        from eventmail.unreadable_event u left join public.mt_events e on e.seq_id = u.seq_id order by u.seq_id
        """;

    private const string Rows = $"select {EventRow.Columns} from public.mt_events e where e.seq_id = any($1)";

    internal static NpgsqlBatchCommand Note(UnreadableRow row) => new(Add)
    {
        Parameters =
        {
            new() { Value = row.Sequence }, new() { Value = row.Stream.Tenant }, new() { Value = row.Stream.Id }, new() { Value = row.Version },
            new() { Value = row.Type }, new() { Value = row.Error }, new() { Value = row.CanBeRead }, new() { Value = row.IsAltered },
        },
    };

    /// <summary>Those that cannot be read now, for a program without a log of its own; what was repaired meanwhile is taken off the list.</summary>
    /// <param name="dataFolder">Where the folder of keys is, unless they have one of their own.</param>
    public static async Task<IReadOnlyList<UnreadableRow>> FindAsync(
        NpgsqlDataSource source, EventTypeMap types, KeyOptions keys, string dataFolder, CancellationToken cancel)
    {
        using var ring = new KeyRing(keys, dataFolder, TimeProvider.System, NullLogger.Instance); // only to read
        return await FindAsync(source, new(types, new(source, ring, keys)), cancel);
    }

    /// <summary>Those that cannot be read now; what was repaired meanwhile is taken off the list.</summary>
    internal static async Task<IReadOnlyList<UnreadableRow>> FindAsync(NpgsqlDataSource source, EventDecoder decoder, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        var (rows, repaired) = (new List<UnreadableRow>(), new HashSet<long>());
        await using (var command = new NpgsqlCommand(All, connection))
        await using (var row = await command.ExecuteReaderAsync(cancel))
            while (await row.ReadAsync(cancel))
            {
                rows.Add(new(
                    row.GetInt64(0), new(row.GetString(1), row.GetGuid(2)), row.GetInt64(3), row.GetString(4), row.GetString(5),
                    row.GetFieldValue<DateTimeOffset>(6), row.GetBoolean(7))
                { IsAltered = row.GetBoolean(9) });
                if (row.GetBoolean(8))
                    repaired.Add(row.GetInt64(0));
            }
        if (rows.Count == 0)
            return rows;
        repaired.UnionWith(await ReadableAsync(connection, [.. rows.Where(row => !row.CanBeRead && !row.IsAltered).Select(row => row.Sequence)], decoder, cancel));
        if (repaired.Count == 0)
            return rows;
        await using var delete = new NpgsqlCommand("delete from eventmail.unreadable_event where seq_id = any($1)", connection)
        {
            Parameters = { new() { Value = repaired.ToArray() } },
        };
        await delete.ExecuteNonQueryAsync(cancel);
        return rows.FindAll(row => !repaired.Contains(row.Sequence));
    }

    /// <summary>What was altered is as it was written again: it leaves the list once it can be read.</summary>
    /// <param name="position">Null: all of them.</param>
    internal static async Task ReleaseAsync(NpgsqlDataSource source, long? position, CancellationToken cancel)
    {
        await using var command = source.CreateCommand("update eventmail.unreadable_event set altered = false where altered and ($1::bigint is null or seq_id = $1)");
        command.Parameters.Add(new() { Value = (object?)position ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        await command.ExecuteNonQueryAsync(cancel);
    }

    // All of it, what is sealed as well: who reads less would take a box that is damaged for repaired.
    private static async Task<List<long>> ReadableAsync(NpgsqlConnection connection, long[] positions, EventDecoder decoder, CancellationToken cancel)
    {
        var records = new List<EventRecord>();
        await using (var command = new NpgsqlCommand(Rows, connection) { Parameters = { new() { Value = positions } } })
        await using (var row = await command.ExecuteReaderAsync(cancel))
            while (await row.ReadAsync(cancel))
                records.Add(EventRow.Read(row));
        var lacking = records.Select(record => decoder.Lacks(record, Opening.All)).OfType<string>().ToHashSet(StringComparer.Ordinal);
        if (lacking.Count > 0)
            await decoder.Keys.LoadAsync(connection, null, lacking, cancel);
        return [.. records.Where(record => CanBeRead(record, decoder)).Select(record => record.Sequence)];
    }

    private static bool CanBeRead(EventRecord record, EventDecoder decoder)
    {
        try
        {
            return decoder.Read(record, Opening.All).Data is not (UnreadableEvent or UnknownEvent);
        }
        // While the key is away nobody can say what is in the box.
        catch (SubjectKeyUnusableException)
        {
            return false;
        }
    }
}
