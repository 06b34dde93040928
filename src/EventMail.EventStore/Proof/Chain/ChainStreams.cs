using System.Globalization;
using System.Runtime.CompilerServices;
using Npgsql;

namespace EventMail.EventStore.Proof;

/// <summary>Compares the rows of mt_streams with the first and the last event of each.</summary>
internal sealed class ChainStreams(NpgsqlDataSource source, IReadOnlyDictionary<string, string> kinds)
{
    private const int PageSize = 1000;
    private const string PageRows = "1000";

    // Each with its events as of one snapshot, so that a server at work beside it does not matter. Times as PostgreSQL keeps them: any.
    private const string Sql = $"""
        select s.tenant_id, s.id, s.type, coalesce(s.version, 0), s.is_archived is true, s.timestamp, s.created,
          l.version, l.seq_id, l.timestamp, coalesce(l.hashed, false), f.timestamp, coalesce(f.hashed, false)
        from (
          select * from public.mt_streams s where ($1::varchar is null or s.tenant_id = $1) and (s.tenant_id, s.id) > ($2, $3)
          order by s.tenant_id, s.id limit {PageRows}) s
        left join lateral (
          select e.version, e.seq_id, e.timestamp, e.headers ? 'hash' as hashed from public.mt_events e
          where e.tenant_id = s.tenant_id and e.stream_id = s.id order by e.version desc limit 1) l on true
        left join lateral (
          select e.timestamp, e.headers ? 'hash' as hashed from public.mt_events e
          where e.tenant_id = s.tenant_id and e.stream_id = s.id and e.version = 1 limit 1) f on true
        order by s.tenant_id, s.id
        """;

    private sealed record StreamRow(
        StreamKey Key, string? Type, long Version, bool IsArchived, long Moved, long Created,
        long? LastVersion, long? LastPosition, long? LastTime, bool LastIsHashed, long? FirstTime, bool FirstIsHashed);

    private readonly HashSet<string> _ours = [.. kinds.Values];

    /// <summary>The number of streams so far with each.</summary>
    public async IAsyncEnumerable<(long Streams, ChainFault? Fault)> FaultsAsync(string? tenant, [EnumeratorCancellation] CancellationToken cancel)
    {
        var streams = 0L;
        var last = new StreamKey("", Guid.Empty);
        while (true)
        {
            var page = await PageAsync(tenant, last, cancel);
            foreach (var row in page)
            {
                streams++;
                yield return (streams, null);
                foreach (var text in Faults(row))
                    yield return (streams, new(ChainFaultKind.Stream, row.LastPosition, row.Key.Tenant, row.Key.Id, row.LastVersion, row.Type, null, text));
                if (row.Version > (row.LastVersion ?? 0))
                    yield return (streams, new(
                        ChainFaultKind.Removed, null, row.Key.Tenant, row.Key.Id, (row.LastVersion ?? 0) + 1, row.Type, null,
                        string.Create(CultureInfo.InvariantCulture,
                            $"mt_streams says that the stream has {row.Version} events; {ChainOrder.Versions((row.LastVersion ?? 0) + 1, row.Version)} of it: removed from the log's end, or the row was changed")));
            }
            if (page.Count < PageSize)
                yield break;
            last = page[^1].Key;
        }
    }

    private IEnumerable<string> Faults(StreamRow row)
    {
        if (row.LastVersion > row.Version)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"mt_streams says that the stream has {row.Version} events; the log has {row.LastVersion}: the row was changed, or events were inserted");
        if (row.Type is null || !_ours.Contains(row.Type))
            yield break;
        if (row.IsArchived)
            yield return "is_archived of the stream's row was set, which hides its events from readers";
        if (row.LastIsHashed && row.Version == row.LastVersion && row.Moved != row.LastTime)
            yield return "the time of the stream's row is not that of its last event: the row was changed";
        if (row.FirstIsHashed && row.Created != row.FirstTime)
            yield return "the stream's row was not created at the time of its first event: the row was changed";
    }

    private async Task<List<StreamRow>> PageAsync(string? tenant, StreamKey after, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Sql);
        command.Parameters.Add(new() { Value = (object?)tenant ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar });
        command.Parameters.Add(new() { Value = after.Tenant });
        command.Parameters.Add(new() { Value = after.Id });
        var page = new List<StreamRow>();
        await using var rows = await command.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
            page.Add(new(
                new(rows.GetString(0), rows.GetGuid(1)), rows.IsDBNull(2) ? null : rows.GetString(2), rows.GetInt64(3), rows.GetBoolean(4),
                rows.GetFieldValue<long>(5), rows.GetFieldValue<long>(6), Long(rows, 7), Long(rows, 8), Long(rows, 9), rows.GetBoolean(10),
                Long(rows, 11), rows.GetBoolean(12)));
        return page;
    }

    private static long? Long(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<long>(column);
}
