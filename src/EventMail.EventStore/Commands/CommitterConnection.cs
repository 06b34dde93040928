using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore;

/// <summary>The committer's own connection, with its own planner settings; connects again when it is lost.</summary>
internal sealed class CommitterConnection : IAsyncDisposable
{
    // Young tables: plans made while they are small must not scan them once they are large. The statements join a short array to
    // a large table by its key, so a nested loop is right, and it touches rows in the array's order, which is the lock order.
    private const string Settings =
        "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off -c plan_cache_mode=force_generic_plan";

    /// <summary>How all of them are called in pg_stat_activity, with the node's id behind it.</summary>
    public const string NamePrefix = "eventmail committer ";

    private static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(2);

    private readonly NpgsqlDataSource _source;
    private readonly string _name;
    private readonly ILogger _log;
    private NpgsqlConnection? _connection;
    private bool _warned;

    // As this connection found them; whoever adds one ends the connection.
    private ReadOnlyTenants _readOnly = ReadOnlyTenants.None;

    private readonly IReadOnlyList<IInlineProjection> _inline;

    public CommitterConnection(string connectionString, Guid node, IReadOnlyList<IInlineProjection> inline, ILogger log)
    {
        _inline = inline;
        _log = log;
        _name = $"{NamePrefix}{node:n}";
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            SearchPath = ReadModelSchema.SearchPath,
            Pooling = false,
            ApplicationName = _name,
            MaxAutoPrepare = 200,
            AutoPrepareMinUsages = 1,
            Enlist = false,
        };
        settings.Options = $"{settings.Options} {Settings}".Trim();
        _source = NpgsqlDataSource.Create(settings);
    }

    /// <summary>The open connection; waits, trying again and again, until there is one.</summary>
    public async ValueTask<NpgsqlConnection> GetAsync(CancellationToken cancel)
    {
        if (_connection is { State: System.Data.ConnectionState.Open } open)
            return open;
        await DropAsync();
        for (var delay = MinDelay; ; delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay)
        {
            try
            {
                _connection = await _source.OpenConnectionAsync(cancel);
                await FenceAsync(_connection, cancel);
                await ReadModelCatalog.RequireAsync(_connection, _inline, cancel);
                await CheckDurabilityAsync(_connection, cancel);
                _readOnly = await ReadOnlyTenants.ReadAsync(_connection, cancel);
                return _connection;
            }
            catch (NpgsqlException e)
            {
                await DropAsync();
                _log.CommitterCannotConnect(e, delay.TotalMilliseconds);
                await Task.Delay(delay, cancel);
            }
        }
    }

    /// <summary>Fails a batch's commands for tenants that are read-only: as they are now, since that may be over.</summary>
    public async ValueTask RefuseReadOnlyAsync(Batch batch, NpgsqlConnection connection, CancellationToken cancel)
    {
        if (!_readOnly.Concern(batch))
            return;
        _readOnly = await ReadOnlyTenants.ReadAsync(connection, cancel);
        _readOnly.Refuse(batch);
    }

    /// <summary>Gives the connection up: its state is not known any more.</summary>
    public async ValueTask DropAsync()
    {
        if (_connection is null)
            return;
        var connection = _connection;
        _connection = null;
        try
        {
            await connection.DisposeAsync();
        }
        catch (NpgsqlException)
        {
            // It is gone either way.
        }
    }

    // The lost connection's server process may still be at work, even commit. Only when it has ended is it known what became of
    // its transaction.
    private async Task FenceAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string sql = """
            select count(pg_terminate_backend(pid)) from pg_stat_activity
            where application_name = $1 and pid <> pg_backend_pid()
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = _name } } };
        while ((long)(await command.ExecuteScalarAsync(cancel))! > 0)
            await Task.Delay(5, cancel);
    }

    private async Task CheckDurabilityAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using var show = new NpgsqlCommand(
            "select current_setting('fsync'), current_setting('synchronous_commit')", connection);
        string fsync, synchronous;
        await using (var reader = await show.ExecuteReaderAsync(cancel))
        {
            await reader.ReadAsync(cancel);
            (fsync, synchronous) = (reader.GetString(0), reader.GetString(1));
        }
        // What waits for more than the local disk (remote_write, remote_apply) is the operator's choice and stays.
        if (synchronous == "off")
        {
            await using var set = new NpgsqlCommand("set synchronous_commit = on", connection);
            await set.ExecuteNonQueryAsync(cancel);
        }
        if (fsync == "off" && !_warned)
            _log.NotDurable("fsync", fsync);
        _warned = true;
    }

    public async ValueTask DisposeAsync()
    {
        await DropAsync();
        await _source.DisposeAsync();
    }
}
