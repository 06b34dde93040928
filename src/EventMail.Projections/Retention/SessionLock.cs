using EventMail.EventStore;
using Npgsql;

namespace EventMail.Projections.Retention;

/// <summary>An advisory lock that is held as long as work takes which is many transactions: one process at a time does it, and one that ends gives it back.</summary>
internal sealed class SessionLock : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly string _name;

    private SessionLock(NpgsqlConnection connection, string name) => (_connection, _name) = (connection, name);

    /// <summary>Null: another process has it.</summary>
    public static Task<SessionLock?> TryTakeAsync(EventLog log, string name, CancellationToken cancel) => TakeAsync(log, name, "select pg_try_advisory_lock(hashtextextended($1, 0))", cancel);

    /// <summary>Waits for whoever has it.</summary>
    public static async Task<SessionLock> TakeAsync(EventLog log, string name, CancellationToken cancel) =>
        (await TakeAsync(log, name, "select true from pg_advisory_lock(hashtextextended($1, 0))", cancel).ConfigureAwait(false))!;

    private static async Task<SessionLock?> TakeAsync(EventLog log, string name, string sql, CancellationToken cancel)
    {
        var connection = await log.Sessions.OpenConnectionAsync(cancel).ConfigureAwait(false);
        try
        {
            await using var take = new NpgsqlCommand(sql, connection) { CommandTimeout = 0, Parameters = { new() { Value = name } } };
            if ((bool)(await take.ExecuteScalarAsync(cancel).ConfigureAwait(false))!)
                return new(connection, name);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        await connection.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        // By itself: the session ends some time after the connection is closed, and who comes next would find it taken.
        try
        {
            await using var give = new NpgsqlCommand("select pg_advisory_unlock(hashtextextended($1, 0))", _connection) { Parameters = { new() { Value = _name } } };
            await give.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
        catch (NpgsqlException)
        {
            // The session is gone, and the lock with it.
        }
        await _connection.DisposeAsync().ConfigureAwait(false);
    }
}
