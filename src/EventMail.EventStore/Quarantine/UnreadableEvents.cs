using Npgsql;

namespace EventMail.EventStore;

/// <summary>A row of the log that cannot be read, and since when that is known.</summary>
/// <param name="CanBeRead">It is what its type says, and yet cannot follow the events before it: whoever folds its stream from the beginning ends there.</param>
public sealed record UnreadableRow(long Sequence, StreamKey Stream, long Version, string Type, string Error, DateTimeOffset Found, bool CanBeRead = false)
{
    internal static UnreadableRow Of(StoredEvent e, string error) => new(e.Sequence, e.Stream, e.Version, e.Type, error, DateTimeOffset.UtcNow);
}

/// <summary>eventmail.unreadable_event: what of the log could not be read, so that somebody repairs it.</summary>
public static class UnreadableEvents
{
    private const string Add = """
        insert into eventmail.unreadable_event (seq_id, tenant_id, stream_id, version, type, error, digest)
        values ($1, $2, $3, $4, $5, $6, case when $7 then (select sha256(convert_to(data::text, 'UTF8')) from public.mt_events where seq_id = $1) end)
        on conflict (seq_id) do update set error = excluded.error, digest = excluded.digest
        """;

    private const string All = """
        select u.seq_id, u.tenant_id, u.stream_id, u.version, u.type, u.error, u.found, e.type, e.data,
          u.digest is not null, u.digest is not distinct from sha256(convert_to(e.data::text, 'UTF8'))
        from eventmail.unreadable_event u left join public.mt_events e on e.seq_id = u.seq_id order by u.seq_id
        """;

    internal static NpgsqlBatchCommand Note(UnreadableRow row) => new(Add)
    {
        Parameters =
        {
            new() { Value = row.Sequence }, new() { Value = row.Stream.Tenant }, new() { Value = row.Stream.Id }, new() { Value = row.Version },
            new() { Value = row.Type }, new() { Value = row.Error }, new() { Value = row.CanBeRead },
        },
    };

    /// <summary>Those that cannot be read now; what was repaired meanwhile is taken off the list.</summary>
    public static async Task<IReadOnlyList<UnreadableRow>> FindAsync(NpgsqlDataSource source, EventTypeMap types, CancellationToken cancel)
    {
        await using var connection = await source.OpenConnectionAsync(cancel);
        var rows = new List<UnreadableRow>();
        var repaired = new List<long>();
        await using (var command = new NpgsqlCommand(All, connection))
        await using (var row = await command.ExecuteReaderAsync(cancel))
            while (await row.ReadAsync(cancel))
            {
                var isRepaired = row.IsDBNull(7)
                    || (row.GetBoolean(9) ? !row.GetBoolean(10) : types.TryRead(row.GetString(7), row.GetFieldValue<byte[]>(8)) is not (UnreadableEvent or UnknownEvent));
                if (isRepaired)
                    repaired.Add(row.GetInt64(0));
                else
                    rows.Add(new(
                        row.GetInt64(0), new(row.GetString(1), row.GetGuid(2)), row.GetInt64(3), row.GetString(4), row.GetString(5),
                        row.GetFieldValue<DateTimeOffset>(6), row.GetBoolean(9)));
            }
        if (repaired.Count > 0)
        {
            await using var delete = new NpgsqlCommand("delete from eventmail.unreadable_event where seq_id = any($1)", connection)
            {
                Parameters = { new() { Value = repaired.ToArray() } },
            };
            await delete.ExecuteNonQueryAsync(cancel);
        }
        return rows;
    }
}
