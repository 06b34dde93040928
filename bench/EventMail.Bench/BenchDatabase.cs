using EventMail.EventStore;
using EventMail.EventStore.Embedded;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Bench;

/// <summary>A PostgreSQL to measure on, with a fresh database per measurement.</summary>
internal sealed class BenchDatabase : IAsyncDisposable
{
    private readonly EmbeddedPostgres? _embedded;
    private readonly string _server;
    private int _count;

    private BenchDatabase(EmbeddedPostgres? embedded, string server, string folder)
    {
        (_embedded, _server, Folder) = (embedded, server, folder);
        Postmaster = embedded?.ProcessId;
    }

    public string Folder { get; }

    /// <summary>The server's process, when it is ours: its CPU time can be read.</summary>
    public int? Postmaster { get; }

    public static async Task<BenchDatabase> OpenAsync(string? connectionString)
    {
        var folder = Directory.CreateTempSubdirectory("eventmail-bench-").FullName;
        if (connectionString is not null)
            return new(null, connectionString, folder);
        var embedded = await EmbeddedPostgres.StartAsync(new() { DataFolder = folder }, NullLogger.Instance, default);
        return new(embedded, embedded.ConnectionString, folder);
    }

    /// <summary>The connection string of a new database.</summary>
    public async Task<string> CreateAsync()
    {
        var name = $"bench_{Environment.ProcessId}_{++_count}";
        await using var source = NpgsqlDataSource.Create(_server);
        await using (var create = source.CreateCommand($"create database {name}"))
            await create.ExecuteNonQueryAsync();
        await using (var checkpoint = source.CreateCommand("checkpoint"))
            await checkpoint.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(_server) { Database = name }.ConnectionString;
    }

    public async Task<EventLog> OpenLogAsync(
        string connectionString, IReadOnlyList<IInlineProjection> inline, ContentOptions? content = null, KeyOptions? keys = null) =>
        await EventLog.OpenAsync(
            new() { ConnectionString = connectionString, DataFolder = Folder, Content = content ?? new(), Keys = keys ?? new() },
            Sample.Types(), [Sample.Kind], inline, [], NullLoggerFactory.Instance, default);

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_embedded is not null)
            await _embedded.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
