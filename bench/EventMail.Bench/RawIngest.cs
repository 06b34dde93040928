using System.Security.Cryptography;
using System.Text.Json;
using EventMail.EventStore;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Bench;

/// <summary>The yardstick: the same rows by plain batched statements (unnest), streams divided among the connections.</summary>
internal sealed class RawIngest : IAsyncDisposable
{
    private static long s_number;

    private readonly NpgsqlConnection _connection;
    private readonly StreamRef[] _streams;
    private readonly long[] _versions;
    private readonly Bodies _bodies;
    private int _next;

    private RawIngest(NpgsqlConnection connection, StreamRef[] streams, Bodies bodies)
    {
        (_connection, _streams, _bodies) = (connection, streams, bodies);
        _versions = new long[streams.Length];
    }

    public static async Task CreateStreamsAsync(string connectionString, StreamRef[] streams)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(
            "insert into mt_streams (tenant_id, id, type, version) select t, i, 'sample', 0 from unnest($1::varchar[], $2::uuid[]) u (t, i)");
        command.Parameters.Add(new() { Value = streams.Select(s => s.Key.Tenant).ToArray() });
        command.Parameters.Add(new() { Value = streams.Select(s => s.Key.Id).ToArray() });
        await command.ExecuteNonQueryAsync();
    }

    public static async Task<RawIngest> OpenAsync(string connectionString, StreamRef[] streams, Bodies bodies)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString)
        {
            MaxAutoPrepare = 20,
            AutoPrepareMinUsages = 1,
            SearchPath = ReadModelSchema.SearchPath,
            Options = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan",
        }.ConnectionString);
        await connection.OpenAsync();
        return new(connection, streams, bodies);
    }

    public async Task IngestAsync(int group)
    {
        var now = DateTime.UtcNow;
        var rows = new List<(StreamRef Stream, long Version, long Number, byte[] Body, byte[] Digest, byte[] Json)>();
        for (var i = 0; i < group; i++)
        {
            var at = _next++ % _streams.Length;
            var (body, _) = _bodies.Next();
            var number = Interlocked.Increment(ref s_number);
            rows.Add((_streams[at], ++_versions[at], number, body, SHA256.HashData(body),
                JsonSerializer.SerializeToUtf8Bytes(Sample.Event(_versions[at], number, now, ""), SampleJson.Default.SampleReceived)));
        }
        var streams = rows.GroupBy(r => r.Stream).Select(g => g.Last()).ToList();
        await using var batch = new NpgsqlBatch(_connection)
        {
            BatchCommands =
            {
                new("""
                    update mt_streams s set version = w.version, timestamp = $4
                    from unnest($1::varchar[], $2::uuid[], $3::bigint[]) w (tenant_id, id, version)
                    where s.tenant_id = w.tenant_id and s.id = w.id
                    """)
                {
                    Parameters =
                    {
                        Array(streams, r => r.Stream.Key.Tenant), Array(streams, r => r.Stream.Key.Id), Array(streams, r => r.Version),
                        new() { Value = now },
                    },
                },
                new("""
                    insert into eventmail.content (number, digest, size, data, created)
                    select w.*, $5 from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bytea[]) w
                    """)
                {
                    Parameters =
                    {
                        Array(rows, r => r.Number), Array(rows, r => r.Digest), Array(rows, r => (long)r.Body.Length), Array(rows, r => r.Body),
                        new() { Value = now },
                    },
                },
                new(HeaderTable.Summaries) { Parameters = { Array(rows, r => r.Number), Array(rows, _ => HeaderTable.Summary) } },
                new(HeaderTable.Upsert)
                {
                    Parameters =
                    {
                        Array(streams, r => r.Stream.Key.Tenant), Array(streams, r => r.Stream.Key.Id), Array(streams, r => r.Version),
                        Array(streams, r => r.Version), Array(streams, r => r.Version * 4096),
                    },
                },
                new("""
                    insert into mt_events (seq_id, id, tenant_id, stream_id, version, data, type, timestamp, mt_dotnet_type,
                      correlation_id, causation_id, user_name, headers)
                    select nextval('mt_events_sequence'), w.*, 'sample_received', $6, 'EventMail.Bench.SampleReceived, EventMail.Bench',
                      $7, $8, $9, $10 from unnest($1::uuid[], $2::varchar[], $3::uuid[], $4::bigint[], $5::jsonb[]) w
                    """)
                {
                    Parameters =
                    {
                        Array(rows, _ => Guid.CreateVersion7()), Array(rows, r => r.Stream.Key.Tenant), Array(rows, r => r.Stream.Key.Id),
                        Array(rows, r => r.Version),
                        new() { Value = rows.Select(r => r.Json).ToArray(), NpgsqlDbType = NpgsqlDbType.Jsonb | NpgsqlDbType.Array },
                        new() { Value = now }, new() { Value = Sample.Metadata.CorrelationId }, new() { Value = Sample.Metadata.CausationId },
                        new() { Value = Sample.Metadata.UserName },
                        new() { Value = Sample.Metadata.HeadersJson, NpgsqlDbType = NpgsqlDbType.Jsonb },
                    },
                },
            },
        };
        await batch.ExecuteNonQueryAsync();
    }

    private static NpgsqlParameter Array<TRow, T>(List<TRow> rows, Func<TRow, T> column) => new() { Value = rows.Select(column).ToArray() };

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
