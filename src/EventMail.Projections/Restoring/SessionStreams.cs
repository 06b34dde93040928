using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Restoring;

/// <summary>A stream that a session wrote to, and the first version that is its.</summary>
internal readonly record struct SessionStream(StreamKey Key, string Kind, long First);

internal static class SessionStreams
{
    /// <summary>In the order of the streams' ids: what a session moved is brought back before it is taken from where it went.</summary>
    /// <param name="account">Only in this account's streams; null: wherever it was.</param>
    public static async Task<List<SessionStream>> ReadAsync(NpgsqlDataSource source, string session, string? account, CancellationToken cancel)
    {
        const string sql = """
            select e.tenant_id, e.stream_id, s.type, min(e.version)
            from public.mt_events e join public.mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
            where e.correlation_id = $1 and ($2::varchar is null or e.tenant_id = $2) and s.type is not null and not e.is_archived
            group by e.tenant_id, e.stream_id, s.type order by e.tenant_id, e.stream_id
            """;
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new() { Value = session });
        command.Parameters.Add(new() { Value = (object?)account ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Varchar });
        var streams = new List<SessionStream>();
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
            streams.Add(new(new(reader.GetString(0), reader.GetGuid(1)), reader.GetString(2), reader.GetInt64(3)));
        return streams;
    }
}
