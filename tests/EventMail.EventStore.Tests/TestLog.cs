using System.Runtime.CompilerServices;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.EventStore.Tests;

/// <summary>A database of its own with one or several event logs (nodes) on it.</summary>
public sealed class TestLog : IAsyncDisposable
{
    private readonly List<EventLog> _nodes = [];
    private readonly TestDatabase _database;

    private TestLog(TestDatabase database) => _database = database;

    public string Folder { get; } = Directory.CreateTempSubdirectory("eventmail-store-").FullName;

    public EventLog Node => _nodes[0];

    public CommandExecutor Executor => Node.Executor;

    public NpgsqlDataSource DataSource => _database.DataSource;

    public string ConnectionString => _database.ConnectionString;

    /// <summary>Without a node.</summary>
    public static async Task<TestLog> CreateAsync() => new(await TestDatabase.CreateAsync());

    public static async Task<TestLog> OpenAsync(
        Func<EventLogOptions, EventLogOptions>? configure = null, IReadOnlyList<IAsyncProjection>? projections = null)
    {
        var log = new TestLog(await PreparedDatabase.OfLogAsync());
        await log.AddNodeAsync(configure, projections);
        return log;
    }

    /// <param name="types">Null: today's.</param>
    public async Task<EventLog> AddNodeAsync(
        Func<EventLogOptions, EventLogOptions>? configure = null, IReadOnlyList<IAsyncProjection>? projections = null, EventTypeMap? types = null,
        IReadOnlyList<IInlineProjection>? inline = null)
    {
        var options = new EventLogOptions { ConnectionString = ConnectionString, DataFolder = Folder };
        var node = await EventLog.OpenAsync(
            configure?.Invoke(options) ?? options, types ?? Counters.Types(), [Counters.Kind, Counters.Followed], inline ?? [new CounterNames()],
            projections ?? [], NullLoggerFactory.Instance, CancellationToken.None);
        _nodes.Add(node);
        return node;
    }

    public async Task CloseAsync(EventLog node)
    {
        lock (_nodes)
            _nodes.Remove(node);
        await node.DisposeAsync();
    }

    public Task<Outcome> ExecuteAsync(Command command) => Executor.ExecuteAsync(command, CancellationToken.None);

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = DataSource.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task RunAsync(string sql, params object[] values)
    {
        await using var command = DataSource.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// Within each stream versions run from 1 without holes and in the log's order, each event has the hash that follows from the one before
    /// it, and times do not run backwards; stream rows agree.
    /// </summary>
    public async Task ShouldBeConsistentAsync()
    {
        (await ScalarAsync<long>("""
            select count(*) from (
              select version, row_number() over (partition by tenant_id, stream_id order by seq_id) as n from mt_events) e
            where version <> n
            """)).ShouldBe(0);
        (await ScalarAsync<long>("""
            select count(*) from mt_streams s
            left join (select tenant_id, stream_id, max(version) v from mt_events group by 1, 2) e
              on e.tenant_id = s.tenant_id and e.stream_id = s.id
            where s.version is distinct from e.v
            """)).ShouldBe(0);
        (await Chains.FaultsAsync(this)).ShouldBeEmpty();
    }

    /// <summary>Waits for what other nodes bring about in their own time.</summary>
    public static Task EventuallyAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Waiting.UntilAsync(condition, what: what);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
