using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace EventMail.Bench;

/// <summary>The yardstick: one event per transaction by plain prepared statements, no checks, no states, no queue.</summary>
internal sealed class RawAppend : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlBatch _batch;
    private long _version = 1;

    private RawAppend(NpgsqlConnection connection, NpgsqlBatch batch) => (_connection, _batch) = (connection, batch);

    public static async Task<RawAppend> OpenAsync(string connectionString, string tenant, Guid stream)
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using (var create = new NpgsqlCommand("insert into mt_streams (tenant_id, id, type, version) values ($1, $2, 'sample', 1)", connection))
        {
            create.Parameters.AddRange(new NpgsqlParameter[] { new() { Value = tenant }, new() { Value = stream } });
            await create.ExecuteNonQueryAsync();
        }
        var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("update mt_streams set version = $3, timestamp = now() where tenant_id = $1 and id = $2")
                {
                    Parameters = { new() { Value = tenant }, new() { Value = stream }, new NpgsqlParameter<long>() },
                },
                new("""
                    insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type,
                      correlation_id, causation_id, user_name, headers)
                    values (nextval('mt_events_sequence'), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                    """)
                {
                    Parameters =
                    {
                        new NpgsqlParameter<Guid>(), new() { Value = stream }, new NpgsqlParameter<long>(),
                        new NpgsqlParameter<byte[]> { NpgsqlDbType = NpgsqlDbType.Jsonb }, new() { Value = "sample_received" },
                        new NpgsqlParameter<DateTime>(), new() { Value = tenant },
                        new() { Value = "EventMail.Bench.SampleReceived, EventMail.Bench" },
                        new() { Value = Sample.Metadata.CorrelationId }, new() { Value = Sample.Metadata.CausationId },
                        new() { Value = Sample.Metadata.UserName },
                        new() { Value = Sample.Metadata.HeadersJson, NpgsqlDbType = NpgsqlDbType.Jsonb },
                    },
                },
            },
        };
        await batch.PrepareAsync();
        return new(connection, batch);
    }

    public async Task AppendAsync()
    {
        var now = DateTime.UtcNow;
        ((NpgsqlParameter<long>)_batch.BatchCommands[0].Parameters[2]).TypedValue = ++_version;
        var insert = _batch.BatchCommands[1].Parameters;
        ((NpgsqlParameter<Guid>)insert[0]).TypedValue = Guid.CreateVersion7();
        ((NpgsqlParameter<long>)insert[2]).TypedValue = _version;
        ((NpgsqlParameter<byte[]>)insert[3]).TypedValue =
            JsonSerializer.SerializeToUtf8Bytes(Sample.Event(_version, 0, now), SampleJson.Default.SampleReceived);
        ((NpgsqlParameter<DateTime>)insert[5]).TypedValue = now;
        await _batch.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _batch.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
