using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Past;

/// <summary>Reads a picture's chunks: those that are in memory from there.</summary>
internal static class PictureChunks
{
    // Fewer are decoded before other threads would have begun.
    private const int WorthThreads = 32;

    private const string Select = """
        select k.n, c.columns, c.whole_at, w.columns
        from unnest($3::bigint[], $4::bigint[], $5::int[]) as k (first_uid, version, n)
        join past_chunk c on c.tenant_id = $1 and c.mailbox_id = $2 and c.first_uid = k.first_uid and c.version = k.version
        left join past_chunk w on w.tenant_id = $1 and w.mailbox_id = $2 and w.first_uid = c.first_uid and w.version = c.whole_at
        """;

    private readonly record struct Row(int Place, byte[] Columns, long? WholeAt, byte[]? Whole);

    /// <summary>Null when one is not there, or cannot be read.</summary>
    public static async Task<StoredChunk[]?> LoadAsync(
        NpgsqlConnection connection, StreamKey key, long[] firstUids, long[] storedAt, PictureMemory memory, CancellationToken cancel)
    {
        var chunks = new StoredChunk?[firstUids.Length];
        var missing = new List<int>();
        for (var i = 0; i < chunks.Length; i++)
        {
            chunks[i] = memory.Find(key, firstUids[i], storedAt[i]);
            if (chunks[i] is null)
                missing.Add(i);
        }
        if (missing.Count > 0)
        {
            var rows = await ReadAsync(connection, key, [.. missing.Select(i => firstUids[i])], [.. missing.Select(i => storedAt[i])], [.. missing], cancel);
            if (rows.Count != missing.Count)
                return null;
            if (rows.Count < WorthThreads)
                rows.ForEach(Decode);
            else
                Parallel.ForEach(rows, Decode);
        }
        StoredChunk[] all = [.. chunks.OfType<StoredChunk>()];
        return all.Length == chunks.Length ? all : null;

        void Decode(Row row)
        {
            if (!SegmentFormat.TryDecode(row.Whole ?? row.Columns, out var whole))
                return;
            var chunk = whole;
            if (row.WholeAt is not null && (row.Whole is null || !SegmentFormat.TryDecodeMarks(row.Columns, whole, out chunk)))
                return;
            var stored = new StoredChunk(chunk, storedAt[row.Place], whole, row.WholeAt ?? storedAt[row.Place]);
            chunks[row.Place] = stored;
            memory.Put(key, stored);
        }
    }

    private static async Task<List<Row>> ReadAsync(
        NpgsqlConnection connection, StreamKey key, long[] firstUids, long[] storedAt, int[] places, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Select, connection)
        {
            Parameters =
            {
                new() { Value = key.Tenant }, new() { Value = key.Id },
                new NpgsqlParameter<long[]> { TypedValue = firstUids }, new NpgsqlParameter<long[]> { TypedValue = storedAt },
                new NpgsqlParameter<int[]> { TypedValue = places },
            },
        };
        var rows = new List<Row>(places.Length);
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            var whole = row.IsDBNull(2) ? (long?)null : row.GetInt64(2);
            rows.Add(new(row.GetInt32(0), row.GetFieldValue<byte[]>(1), whole, row.IsDBNull(3) ? null : row.GetFieldValue<byte[]>(3)));
        }
        return rows;
    }
}
