using System.Text;
using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections;

/// <summary>Fills an inline projection whose tables were dropped: the log once more through its Fold.</summary>
internal static class InlineRebuild
{
    private const int Page = 1000;

    /// <summary>Folds all streams of a kind, each as one change from nothing.</summary>
    public static async Task WholeStreamsAsync(
        IInlineProjection projection, StreamKind kind, EventTypeMap types, NpgsqlConnection connection, CancellationToken cancel)
    {
        var page = new List<StreamChange>();
        var stream = default(StreamKey?);
        var events = new List<StoredEvent>();
        object state = 0;
        await foreach (var e in EventsAsync(kind, types, connection, cancel))
        {
            if (e.Stream != stream)
            {
                End();
                if (page.Count >= Page)
                    await FlushAsync();
                (stream, state, events) = (e.Stream, kind.Empty(e.Stream), []);
            }
            state = kind.Evolve(state, e);
            events.Add(e);
        }
        End();
        await FlushAsync();

        void End()
        {
            if (stream is { } key)
                page.Add(new(kind, key, kind.Empty(key), state, 1, events[^1].Version, events));
        }

        Task FlushAsync() => WriteAsync(projection, connection, page, cancel);
    }

    /// <summary>Folds all events of a kind, page by page, for a projection that asks for no states.</summary>
    public static async Task EventsOnlyAsync(
        IInlineProjection projection, StreamKind kind, EventTypeMap types, NpgsqlConnection connection, CancellationToken cancel)
    {
        var page = new List<StreamChange>();
        await foreach (var e in EventsAsync(kind, types, connection, cancel))
        {
            page.Add(new(kind, e.Stream, kind.Empty(e.Stream), kind.Empty(e.Stream), e.Version, e.Version, [e]));
            if (page.Count >= Page)
                await WriteAsync(projection, connection, page, cancel);
        }
        await WriteAsync(projection, connection, page, cancel);
    }

    private static async Task WriteAsync(
        IInlineProjection projection, NpgsqlConnection connection, List<StreamChange> page, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        projection.Fold(new(page, [], Remote: false), batch);
        if (batch.BatchCommands.Count > 0)
            await batch.ExecuteNonQueryAsync(cancel);
        page.Clear();
    }

    /// <summary>All events of a kind, stream by stream. Read by pages: a connection that is in the middle of a query cannot write.</summary>
    /// <param name="tenant">Only this one's; null for all.</param>
    public static async IAsyncEnumerable<StoredEvent> EventsAsync(
        StreamKind kind, EventTypeMap types, NpgsqlConnection connection,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel, string? tenant = null)
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
                    page.Add(new(
                        row.GetInt64(0), row.GetGuid(1), new(row.GetString(2), row.GetGuid(3)), row.GetInt64(4), row.GetString(5),
                        types.Read(row.GetString(5), Encoding.UTF8.GetBytes(row.GetString(6))),
                        row.GetFieldValue<DateTimeOffset>(7), EventMetadata.System));
            }
            if (page.Count == 0)
                yield break;
            foreach (var e in page)
                yield return e;
            (from, id, version) = (page[^1].Stream.Tenant, page[^1].Stream.Id, page[^1].Version);
        }
    }

    /// <summary>
    /// One of the projection's tables is missing (they are new, or were dropped): they are to be made and filled, in this transaction.
    /// The others of them are dropped, so that all begin empty.
    /// </summary>
    /// <param name="tables">Their names.</param>
    public static async Task<bool> IsDueAsync(NpgsqlConnection connection, CancellationToken cancel, params string[] tables)
    {
        await using (var command = new NpgsqlCommand("select bool_or(to_regclass(name) is null) from unnest($1::text[]) name", connection)
        {
            Parameters = { new() { Value = tables } },
        })
            if (!(bool)(await command.ExecuteScalarAsync(cancel))!)
                return false;
        await using var drop = new NpgsqlCommand($"drop table if exists {string.Join(", ", tables)}", connection);
        await drop.ExecuteNonQueryAsync(cancel);
        return true;
    }
}
