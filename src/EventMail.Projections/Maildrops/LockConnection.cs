using Npgsql;

namespace EventMail.Projections.Maildrops;

/// <summary>One PostgreSQL session that holds advisory locks. Not thread-safe.</summary>
internal sealed class LockConnection : IAsyncDisposable
{
    private const int AnswerSeconds = 10;

    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlBatch _exchange;
    private readonly NpgsqlParameter<long[]> _release = new() { TypedValue = [] };
    private readonly NpgsqlParameter<long[]> _take = new() { TypedValue = [] };

    private LockConnection(NpgsqlConnection connection)
    {
        _connection = connection;
        // Releases come first: a maildrop that one session leaves can be the next one's in the same round trip.
        _exchange = new(connection)
        {
            Timeout = AnswerSeconds,
            BatchCommands =
            {
                new("select count(pg_advisory_unlock(key)) from unnest($1::bigint[]) as released (key)") { Parameters = { _release } },
                new("select key, pg_try_advisory_lock(key) from unnest($1::bigint[]) as wanted (key)") { Parameters = { _take } },
            },
        };
    }

    /// <param name="source">Of connections that end, or are reset, when they are disposed.</param>
    public static async Task<LockConnection> OpenAsync(NpgsqlDataSource source, CancellationToken cancel)
    {
        var connection = await source.OpenConnectionAsync(cancel);
        try
        {
            // A node that vanishes without a word frees its maildrops in half a minute. Unix sockets need and take no notice of it.
            await using var command = new NpgsqlCommand(
                "set tcp_keepalives_idle = 15; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3", connection);
            await command.ExecuteNonQueryAsync(cancel);
            var locks = new LockConnection(connection);
            await locks._exchange.PrepareAsync(cancel);
            return locks;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Gives locks back and asks for others; answers which of these were granted.</summary>
    /// <exception cref="NpgsqlException">The connection is unfit for use: dispose it.</exception>
    public async Task<HashSet<long>> ExchangeAsync(long[] release, long[] take, CancellationToken cancel)
    {
        (_release.TypedValue, _take.TypedValue) = (release, take);
        var granted = new HashSet<long>();
        await using var reader = await _exchange.ExecuteReaderAsync(cancel);
        await reader.NextResultAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            if (reader.GetBoolean(1))
            {
                granted.Add(reader.GetInt64(0));
            }
        }

        return granted;
    }

    public async ValueTask DisposeAsync()
    {
        await _exchange.DisposeAsync();
        // Its session ends, which gives up all its locks.
        await _connection.DisposeAsync();
    }
}
