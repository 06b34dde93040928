using Npgsql;

namespace EventMail.EventStore;

/// <summary>
/// Nobody verifies read models while it is held: while somebody is erased the tables are between what the log said and what it says. A verification
/// that is under way when it is taken begins anew once it is given back.
/// </summary>
public sealed class VerificationPause : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private readonly NpgsqlConnection _connection;
    private bool _held;

    private VerificationPause(NpgsqlConnection connection) => _connection = connection;

    /// <summary>Taken where nobody is verifying.</summary>
    public static async Task<VerificationPause> BeginAsync(EventLog log, CancellationToken cancel)
    {
        var pause = new VerificationPause(await log.Sessions.OpenConnectionAsync(cancel));
        try
        {
            await pause.TryAsync(cancel);
            return pause;
        }
        catch
        {
            await pause.DisposeAsync();
            throw;
        }
    }

    /// <summary>Taken, once who was verifying has heard of it (<see cref="FoldedBeforehand.BeginAnewAsync"/>); and what was folded is gone.</summary>
    /// <returns>False: he has not come to it in time.</returns>
    public async Task<bool> HoldAsync(TimeSpan patience, CancellationToken cancel)
    {
        for (var until = DateTime.UtcNow + patience; !await TryAsync(cancel); await Task.Delay(Poll, cancel))
        {
            if (DateTime.UtcNow > until)
                return false;
        }
        await using var drop = new NpgsqlCommand($"set client_min_messages = warning; drop schema if exists {ReadModelVerification.Schema} cascade", _connection);
        await drop.ExecuteNonQueryAsync(cancel);
        return true;
    }

    private async Task<bool> TryAsync(CancellationToken cancel)
    {
        if (_held)
            return true;
        await using var take = new NpgsqlCommand($"select pg_try_advisory_lock({GenerationSession.VerifyLock})", _connection);
        return _held = (bool)(await take.ExecuteScalarAsync(cancel))!;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_held)
            {
                await using var give = new NpgsqlCommand($"select pg_advisory_unlock({GenerationSession.VerifyLock})", _connection);
                await give.ExecuteNonQueryAsync();
            }
        }
        catch (NpgsqlException)
        {
            // The session is gone, and the lock with it.
        }
        await _connection.DisposeAsync();
    }
}
