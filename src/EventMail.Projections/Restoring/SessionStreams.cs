using EventMail.EventStore;
using EventMail.Projections.History;
using EventMail.Projections.History.Index;
using Npgsql;

namespace EventMail.Projections.Restoring;

/// <summary>A stream that a session wrote to, the first version that is its, and which types of events it wrote.</summary>
internal readonly record struct SessionStream(StreamKey Key, string Kind, long First, IReadOnlySet<string> Types);

internal static class SessionStreams
{
    // Streams of one statement.
    private const int Page = 10_000;

    /// <summary>
    /// In the order of the streams' ids: what a session moved is brought back before it is taken from where it went. Found by the index of
    /// the log, and in the log itself behind where that stands.
    /// </summary>
    public static async Task<List<SessionStream>> ReadAsync(EventLog log, string session, CancellationToken cancel)
    {
        var filter = HistoryFilter.Of(new() { Session = session }, log.Types, null, null);
        var written = new Dictionary<StreamKey, (long First, HashSet<string> Types)>();
        var found = new EventFinder(log, new(log.DataSource)).FindAsync(filter, 0, await log.Reader.EndAsync(cancel), cancel);
        await foreach (var e in found)
        {
            var (first, types) = written.TryGetValue(e.Stream, out var known) ? known : (long.MaxValue, new(StringComparer.Ordinal));
            types.Add(e.Type);
            written[e.Stream] = (Math.Min(first, e.Version), types);
        }
        var streams = new List<SessionStream>(written.Count);
        foreach (var page in written.Keys.OrderBy(key => key.Tenant, StringComparer.Ordinal).ThenBy(key => key.Id).Chunk(Page))
            await AddAsync(log.DataSource, page, written, streams, cancel);
        return streams;
    }

    // Those of other applications have no kind that is ours.
    private static async Task AddAsync(
        NpgsqlDataSource source, StreamKey[] keys, Dictionary<StreamKey, (long First, HashSet<string> Types)> written, List<SessionStream> streams,
        CancellationToken cancel)
    {
        const string sql = """
            select s.tenant_id, s.id, s.type from unnest($1::varchar[], $2::uuid[]) with ordinality as k (tenant_id, id, n)
            join public.mt_streams s on s.tenant_id = k.tenant_id and s.id = k.id
            where s.type is not null order by k.n
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = Array.ConvertAll(keys, key => key.Tenant) });
        command.Parameters.Add(new() { Value = Array.ConvertAll(keys, key => key.Id) });
        await using var row = await command.ExecuteReaderAsync(cancel);
        while (await row.ReadAsync(cancel))
        {
            var key = new StreamKey(row.GetString(0), row.GetGuid(1));
            streams.Add(new(key, row.GetString(2), written[key].First, written[key].Types));
        }
    }
}
