using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>Reads the rows that are verified, in short statements, and those that they follow.</summary>
internal sealed class ChainRows(NpgsqlDataSource source)
{
    private const int PageSize = 2000;

    /// <summary>Events above a position (of a tenant: all of them) and up to another in pages, the next of which is on its way while one is worked on: the log in its order, or a tenant's streams one after the other.</summary>
    public async IAsyncEnumerable<List<ChainRow>> PagesAsync(string? tenant, long after, long upTo, [EnumeratorCancellation] CancellationToken cancel)
    {
        var next = PageAsync(tenant, null, after, upTo, cancel);
        try
        {
            while (await next is { Count: > 0 } page)
            {
                next = page.Count < PageSize ? Task.FromResult<List<ChainRow>>([]) : PageAsync(tenant, page[^1], after, upTo, cancel);
                yield return page;
            }
        }
        finally
        {
            await Task.WhenAny(next);
        }
    }

    private Task<List<ChainRow>> PageAsync(string? tenant, ChainRow? last, long after, long upTo, CancellationToken cancel) => tenant is null
        ? ReadAsync(
            $"select {ChainRow.Columns} from public.mt_events e where e.seq_id > $1 and e.seq_id <= $2 order by e.seq_id limit {PageSize}",
            cancel, last?.Position ?? after, upTo)
        : ReadAsync(
            $"""
            select {ChainRow.Columns} from public.mt_events e
            where e.tenant_id = $1 and (e.stream_id, e.version) > ($2, $3) and e.seq_id <= $4
            order by e.stream_id, e.version limit {PageSize}
            """,
            cancel, tenant, last?.Facts.Stream ?? Guid.Empty, last?.Facts.Version ?? 0, upTo);

    /// <summary>A stream's events of these versions, both included, in order.</summary>
    public Task<List<ChainRow>> StretchAsync(StreamKey stream, long from, long to, CancellationToken cancel) => ReadAsync(
        $"""
        select {ChainRow.Columns} from public.mt_events e
        where e.tenant_id = $1 and e.stream_id = $2 and e.version between $3 and $4 order by e.version, e.seq_id limit {PageSize}
        """,
        cancel, stream.Tenant, stream.Id, from, to);

    /// <summary>The event of a stream with the highest version below one.</summary>
    public async Task<ChainRow?> BeforeAsync(StreamKey stream, long version, CancellationToken cancel) => (await ReadAsync(
        $"""
        select {ChainRow.Columns} from public.mt_events e
        where e.tenant_id = $1 and e.stream_id = $2 and e.version < $3 order by e.version desc limit 1
        """,
        cancel, stream.Tenant, stream.Id, version)).FirstOrDefault();

    /// <summary>
    /// What is known of streams before these versions: whether there is such a stream, its type, and the event of the version before.
    /// </summary>
    public async Task<List<ChainCursor>> CursorsAsync(IReadOnlyList<(StreamKey Key, long Version)> streams, CancellationToken cancel)
    {
        const string sql = $"""
            select w.n, s.id is not null, s.type, e.seq_id is not null, {ChainRow.Columns}
            from unnest($1::varchar[], $2::uuid[], $3::bigint[]) with ordinality as w (tenant_id, id, version, n)
            left join public.mt_streams s on s.tenant_id = w.tenant_id and s.id = w.id
            left join public.mt_events e on e.tenant_id = w.tenant_id and e.stream_id = w.id and e.version = w.version - 1
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = streams.Select(s => s.Key.Tenant).ToArray() });
        command.Parameters.Add(new() { Value = streams.Select(s => s.Key.Id).ToArray() });
        command.Parameters.Add(new() { Value = streams.Select(s => s.Version).ToArray() });
        var cursors = new ChainCursor[streams.Count];
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            var cursor = new ChainCursor(rows.GetBoolean(1), rows.IsDBNull(2) ? null : rows.GetString(2));
            if (rows.GetBoolean(3))
                cursor.MoveTo(ChainRow.Read(rows, 4));
            cursors[rows.GetInt64(0) - 1] = cursor;
        }
        return [.. cursors];
    }

    /// <summary>The log's last position that every transaction before it has ended for.</summary>
    public async Task<long> LastAsync(CancellationToken cancel)
    {
        var safe = new SafePosition();
        long? last = null;
        while (true)
        {
            await using (var connection = await source.OpenConnectionAsync(cancel))
            {
                var (reached, now) = await safe.AdvanceAsync(connection, cancel);
                if (reached >= (last ??= now))
                    return last.Value;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancel);
        }
    }

    /// <summary>
    /// Events at positions that the sequence has not given out, behind its end or before its beginning: who reads the log in its order does not see them, and
    /// who reads their stream does.
    /// </summary>
    public Task<List<ChainRow>> NeverGivenOutAsync(string? tenant, CancellationToken cancel) => ReadAsync(
        $"""
        select {ChainRow.Columns} from public.mt_events e
        where (e.seq_id < 1 or e.seq_id > (select case when is_called then last_value else last_value - 1 end from public.mt_events_sequence))
          and ($1 = '' or e.tenant_id = $1) order by e.seq_id limit {PageSize}
        """,
        cancel, tenant ?? "");

    /// <summary>From where on events have hashes; null where none has.</summary>
    public async Task<long?> FirstHashedAsync(CancellationToken cancel)
    {
        await using var command = source.CreateCommand(
            "select seq_id from public.mt_events where headers->>'hash' ~ '^[A-Za-z0-9_-]{43}$' order by seq_id limit 1");
        return await command.ExecuteScalarAsync(cancel) as long?;
    }

    /// <summary>About how many events there are.</summary>
    public async Task<long> CountAsync(string? tenant, long upTo, CancellationToken cancel)
    {
        if (tenant is null)
            return upTo;
        await using var command = source.CreateCommand("select count(*) from public.mt_events where tenant_id = $1");
        command.Parameters.Add(new() { Value = tenant });
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    private async Task<List<ChainRow>> ReadAsync(string sql, CancellationToken cancel, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        var page = new List<ChainRow>();
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
            page.Add(ChainRow.Read(rows));
        return page;
    }
}
