using System.Runtime.CompilerServices;
using System.Text;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Quotas;

/// <summary>Whole streams read in the snapshot of a connection's transaction.</summary>
internal static class StreamsOfKind
{
    /// <summary>All events of a kind, stream by stream. Read by pages: a connection that is in the middle of a query cannot write.</summary>
    /// <param name="tenant">Only this one's; null for all.</param>
    public static async IAsyncEnumerable<StoredEvent> EventsAsync(
        StreamKind kind, EventTypeMap types, NpgsqlConnection connection,
        [EnumeratorCancellation] CancellationToken cancel, string? tenant = null)
    {
        var sql = $"""
            select e.seq_id, e.id, e.tenant_id, e.stream_id, e.version, e.type, e.data::text, e.timestamp
            from public.mt_events e join public.mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
            where s.type = $1 and not e.is_archived and (e.tenant_id, e.stream_id, e.version) > ($2, $3, $4)
              {(tenant is null ? "" : "and e.tenant_id = $2")}
            order by e.tenant_id, e.stream_id, e.version limit 5000
            """;
        var (from, id, version) = (tenant ?? "", Guid.Empty, 0L);
        while (true)
        {
            var page = new List<StoredEvent>();
            await using (var command = new NpgsqlCommand(sql, connection)
            {
                Parameters = { new() { Value = kind.Name }, new() { Value = from }, new() { Value = id }, new() { Value = version } },
            })
            await using (var row = await command.ExecuteReaderAsync(cancel))
            {
                while (await row.ReadAsync(cancel))
                    page.AddRange(SplitEvent.Of(new(
                        row.GetInt64(0), row.GetGuid(1), new(row.GetString(2), row.GetGuid(3)), row.GetInt64(4), row.GetString(5),
                        types.Read(row.GetString(5), Encoding.UTF8.GetBytes(row.GetString(6))),
                        row.GetFieldValue<DateTimeOffset>(7), EventMetadata.System)));
            }
            if (page.Count == 0)
                yield break;
            foreach (var e in page)
                yield return e;
            (from, id, version) = (page[^1].Stream.Tenant, page[^1].Stream.Id, page[^1].Version);
        }
    }
}
