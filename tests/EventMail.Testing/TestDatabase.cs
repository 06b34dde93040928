using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;

namespace EventMail.Testing;

/// <summary>A database for one test: a clone of a template, dropped when disposed.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    // In ms: PostgreSQL only asks a connection's process to end, and waits for its end that long.
    private const int EndsWithin = 20_000;

    private static readonly ConcurrentDictionary<string, Lazy<Task>> Templates = new();
    private static readonly SemaphoreSlim Cloning = new(1);
    private static int s_count;

    private readonly string _name;
    private NpgsqlDataSource? _dataSource;

    private TestDatabase(string name, string connectionString) => (_name, ConnectionString) = (name, connectionString);

    public string ConnectionString { get; }

    /// <summary>The wrapping keys of whoever works on it: nodes with data folders of their own share these.</summary>
    public EventStore.KeyOptions Keys { get; } = new() { Folder = Path.Combine(Path.GetTempPath(), "eventmail-tests", $"keys-{Guid.NewGuid():n}") };

    /// <summary>Made on first use, closed with the database. Finds read models as a server's connections do.</summary>
    public NpgsqlDataSource DataSource => _dataSource ??= NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(ConnectionString) { SearchPath = EventStore.ReadModelSchema.SearchPath });

    /// <summary>An empty database.</summary>
    public static Task<TestDatabase> CreateAsync() => CloneAsync("template1");

    /// <summary>
    /// A clone of the template <paramref name="template"/>, which <paramref name="build"/> fills (given its connection string)
    /// the first time that this test process asks for it. It must leave no connection open but pooled ones.
    /// </summary>
    public static async Task<TestDatabase> CreateAsync(string template, Func<string, Task> build)
    {
        await Templates.GetOrAdd(template, name => new(() => BuildTemplateAsync(name, build))).Value;
        return await CloneAsync(template);
    }

    private static async Task BuildTemplateAsync(string name, Func<string, Task> build)
    {
        await CopyAsync("template1", name);
        await build(await ConnectionStringToAsync(name));
        // CREATE DATABASE … TEMPLATE refuses a source with connections.
        NpgsqlConnection.ClearAllPools();
        await ExecuteAsync($"alter database {Quoted(name)} with allow_connections false");
        await ExecuteAsync($"select pg_terminate_backend(pid, {EndsWithin}) from pg_stat_activity where datname = '{name}'");
    }

    private static async Task<TestDatabase> CloneAsync(string template)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref s_count)}");
        await CopyAsync(template, name);
        return new(name, await ConnectionStringToAsync(name));
    }

    private static async Task CopyAsync(string template, string name)
    {
        // PostgreSQL makes one copy of a template at a time and fails the others.
        await Cloning.WaitAsync();
        try
        {
            await ExecuteAsync($"create database {Quoted(name)} template {Quoted(template)}");
        }
        finally
        {
            Cloning.Release();
        }
    }

    /// <summary>The database goes away: connections are cut and refused until it is back.</summary>
    public async Task GoAwayAsync()
    {
        await ExecuteAsync($"alter database {_name} with allow_connections false");
        await ExecuteAsync($"select pg_terminate_backend(pid, {EndsWithin}) from pg_stat_activity where datname = '{_name}'");
    }

    public Task ComeBackAsync() => ExecuteAsync($"alter database {_name} with allow_connections true");

    public async ValueTask DisposeAsync()
    {
        if (_dataSource is not null)
            await _dataSource.DisposeAsync();
        await using (var connection = new NpgsqlConnection(ConnectionString))
            NpgsqlConnection.ClearPool(connection);
        await ExecuteAsync($"drop database {_name} with (force)");
        if (Directory.Exists(Keys.Folder))
            Directory.Delete(Keys.Folder, recursive: true);
    }

    private static async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(await ConnectionStringToAsync("postgres"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> ConnectionStringToAsync(string database)
    {
        var cluster = await TestCluster.GetAsync();
        return new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Database = database }.ConnectionString;
    }

    private static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"")}\"";
}
