using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.EventStore.Embedded;

/// <summary>
/// A PostgreSQL of our own in the data folder. Every process that uses it holds a shared lock on `postgres.users`; who starts or
/// stops it holds `postgres.lock` meanwhile. Who is last to leave stops it, so a server and the commands beside it can
/// come and go in any order, and a PostgreSQL that runs while nobody holds the shared lock is an orphan of a killed process.
/// </summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    internal const int SocketPort = 5432;

    /// <summary>
    /// Connections of one pool. A server has a pool and a handful of connections beside it, a command likewise: they fit below the
    /// cluster's <see cref="MaxConnections"/> together, so that a burst waits for its turn and is not refused.
    /// </summary>
    internal const int PoolSize = 40;

    internal const int MaxConnections = 120;
    private static readonly TimeSpan TransitionPatience = TimeSpan.FromMinutes(2);

    private readonly EmbeddedPostgresOptions _options;
    private readonly ILogger _log;
    private readonly PostgresAccount _account;
    private readonly PostgresCluster _cluster;
    private readonly FileLock _users;
    private readonly CancellationTokenSource _stopping = new();
    private readonly PostgresBinaries _binaries;
    private Postmaster _postmaster;
    private Task _supervision = Task.CompletedTask;

    private EmbeddedPostgres(
        EmbeddedPostgresOptions options, ILogger log, PostgresAccount account, PostgresCluster cluster, FileLock users,
        PostgresBinaries binaries, Postmaster postmaster)
    {
        (_options, _log, _account, _cluster, _users, _binaries, _postmaster) =
            (options, log, account, cluster, users, binaries, postmaster);
    }

    /// <summary>Raised when PostgreSQL ended by itself; it is being started again.</summary>
    public event Action? Crashed;

    public int ProcessId => _postmaster.Pid;

    /// <summary>PGDATA.</summary>
    public string ClusterFolder => _cluster.DataDirectory;

    internal string Password => _cluster.Password;

    /// <summary>For Npgsql.</summary>
    public string ConnectionString => ConnectionStringTo(PostgresCluster.Database);

    /// <summary>For psql, pg_dump and everything else that uses libpq.</summary>
    public string LibpqUrl => UrlOf(_cluster);

    /// <summary>Starts the cluster, making it first where there is none, and keeps it running until <see cref="StopAsync"/>.</summary>
    public static async Task<EmbeddedPostgres> StartAsync(EmbeddedPostgresOptions options, ILogger log, CancellationToken cancel)
    {
        var postgres = await OpenAsync(options, log, cancel);
        postgres._supervision = postgres.SuperviseAsync();
        return postgres;
    }

    /// <summary>For a command beside the server: uses the running cluster, or starts it until this instance is stopped.</summary>
    public static Task<EmbeddedPostgres> AttachOrStartAsync(EmbeddedPostgresOptions options, ILogger log, CancellationToken cancel) =>
        OpenAsync(options, log, cancel);

    /// <summary>The URL of the cluster of this data folder while it runs; null when it does not.</summary>
    public static string? FindRunning(string dataFolder) =>
        PostgresCluster.Open(Path.GetFullPath(dataFolder)) is { } cluster && Postmaster.Find(cluster.DataDirectory) is not null
            ? UrlOf(cluster)
            : null;

    /// <summary>Makes the template that clusters are copied from, unless it is there.</summary>
    public static async Task PrepareAsync(EmbeddedPostgresOptions options, ILogger log, CancellationToken cancel)
    {
        var account = PostgresAccount.Choose(options.RunAs);
        if (ClusterTemplate.Of(options, PostgresBinaries.Find(options.BinPath, null), account) is { Exists: false } template)
            await template.MakeAsync(options, log, cancel);
    }

    /// <summary>A folder that is this user's alone; false where that cannot be told (other systems than Linux).</summary>
    public static bool IsOwnFolder(string path) => Posix.IsOwnFolder(path);

    /// <summary>
    /// Clears up behind a killed process whose data folder nobody wants any more: ends the PostgreSQL that still runs there, and
    /// deletes its cluster, also where that lies elsewhere.
    /// </summary>
    /// <param name="dataFolder">Certain to be ours (<see cref="IsOwnFolder"/>): others could name us clusters that are not.</param>
    /// <returns>False when another process uses it: nothing was done.</returns>
    public static async Task<bool> AbandonAsync(string dataFolder)
    {
        using var users = FileLock.TryTake(Path.Combine(dataFolder, "postgres.users"), exclusive: true);
        if (users is null)
            return false;
        if (PostgresCluster.Open(dataFolder) is not { } cluster)
            return true;
        // Found by its working directory: a number in a file may be anybody's by now.
        if (Postmaster.Find(cluster.DataDirectory) is { } postmaster)
            await postmaster.StopAsync(TimeSpan.Zero);
        if (Directory.Exists(cluster.Folder))
            Directory.Delete(cluster.Folder, recursive: true);
        return true;
    }

    private static async Task<EmbeddedPostgres> OpenAsync(EmbeddedPostgresOptions options, ILogger log, CancellationToken cancel)
    {
        options = options with { DataFolder = Path.GetFullPath(options.DataFolder) };
        var account = PostgresAccount.Choose(options.RunAs);
        MakeDataFolder(options.DataFolder, account);

        using var transition = await FileLock.TakeAsync(Transition(options), exclusive: true, TransitionPatience, cancel);
        var users = FileLock.TryTake(Path.Combine(options.DataFolder, "postgres.users"), exclusive: true);
        var alone = users is not null;
        users ??= await FileLock.TakeAsync(Path.Combine(options.DataFolder, "postgres.users"), exclusive: false, TransitionPatience, cancel);
        try
        {
            var cluster = PostgresCluster.Open(options.DataFolder)
                ?? await PostgresCluster.PlaceAsync(options, account, folder => log.PlacedElsewhere(account.Name, options.DataFolder, folder), cancel);
            var binaries = PostgresBinaries.Find(options.BinPath, cluster.MajorVersion);
            var postmaster = Postmaster.Find(cluster.DataDirectory);
            var complete = false;
            if (postmaster is not null && alone)
            {
                log.OrphanFound(postmaster.Pid);
                await postmaster.StopAsync(options.StopPatience);
                postmaster = null;
            }
            if (postmaster is not null)
            {
                await postmaster.WaitUntilReadyAsync(cancel);
                log.Joined(postmaster.Pid);
            }
            else
            {
                if (cluster.MajorVersion is null)
                    log.Initializing(binaries.MajorVersion, cluster.Folder, account.Name);
                complete = await cluster.InitializeAsync(options, binaries, account, log, cancel);
                cluster.Configure(options, binaries, account);
                postmaster = await Postmaster.StartAsync(binaries, account, cluster.DataDirectory, cluster.RunFolder, cancel);
                log.Started(binaries.MajorVersion, cluster.DataDirectory, postmaster.Pid);
            }
            users.TryConvert(exclusive: false);
            var postgres = new EmbeddedPostgres(options, log, account, cluster, users, binaries, postmaster);
            if (!complete)
                await postgres.CreateDatabaseAsync(cancel);
            return postgres;
        }
        catch
        {
            users.Dispose();
            throw;
        }
    }

    /// <summary>Stops PostgreSQL, unless another process still uses it.</summary>
    public async Task StopAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        await _supervision.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // whatever became of it, PostgreSQL is to stop
        NpgsqlConnection.ClearAllPools();

        using var transition = await FileLock.TakeAsync(Transition(_options), exclusive: true, TransitionPatience, CancellationToken.None);
        var alone = _users.TryConvert(exclusive: true);
        // Another process may have started it anew since we looked.
        var postmaster = _postmaster.Exited.IsCompleted ? Postmaster.Find(_cluster.DataDirectory) ?? _postmaster : _postmaster;
        if (!alone)
            _log.LeftToOthers();
        else if (await postmaster.StopAsync(_options.StopPatience))
            _log.Stopped();
        else
            _log.StoppedAtOnce();
        _users.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    private async Task SuperviseAsync()
    {
        while (true)
        {
            await Task.WhenAny(_postmaster.Exited, Task.Delay(Timeout.Infinite, _stopping.Token));
            if (_stopping.IsCancellationRequested)
                return;
            _log.Crashed(_postmaster.Pid);
            Crashed?.Invoke();
            await RestartAsync();
        }
    }

    private async Task RestartAsync()
    {
        for (var delay = TimeSpan.FromMilliseconds(50); !_stopping.IsCancellationRequested; delay = Longer(delay))
        {
            try
            {
                using var transition = await FileLock.TakeAsync(Transition(_options), exclusive: true, TransitionPatience, _stopping.Token);
                if (Postmaster.Find(_cluster.DataDirectory) is { } running)
                {
                    _postmaster = running;
                    await running.WaitUntilReadyAsync(_stopping.Token);
                    return;
                }
                _postmaster = await Postmaster.StartAsync(_binaries, _account, _cluster.DataDirectory, _cluster.RunFolder, _stopping.Token);
                _log.Started(_binaries.MajorVersion, _cluster.DataDirectory, _postmaster.Pid);
                return;
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                // Whatever it is (no more processes, a full disk, a folder we may not enter): it may pass, and nobody else restarts it.
                _log.RestartFailed(error, delay.TotalMilliseconds);
                await Task.WhenAny(Task.Delay(delay, _stopping.Token));
            }
        }

        static TimeSpan Longer(TimeSpan delay) => delay < TimeSpan.FromSeconds(5) ? delay * 2 : delay;
    }

    private async Task CreateDatabaseAsync(CancellationToken cancel)
    {
        if (await IsThereAsync(cancel))
            return;
        await using var connection = new NpgsqlConnection(ConnectionStringTo("postgres") + ";Pooling=false");
        await connection.OpenAsync(cancel);
        await using var create = new NpgsqlCommand($"create database {PostgresCluster.Database}", connection);
        await create.ExecuteNonQueryAsync(cancel);
    }

    private async Task<bool> IsThereAsync(CancellationToken cancel)
    {
        await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
        try
        {
            await connection.OpenAsync(cancel);
            return true;
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.InvalidCatalogName)
        {
            return false;
        }
    }

    private string ConnectionStringTo(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = _cluster.SocketFolder ?? "127.0.0.1",
        Port = _cluster.Port ?? SocketPort,
        Username = PostgresCluster.User,
        Password = _cluster.Password,
        Database = database,
        MaxPoolSize = PoolSize,
    }.ConnectionString;

    private static string UrlOf(PostgresCluster cluster)
    {
        var host = Uri.EscapeDataString(cluster.SocketFolder ?? "127.0.0.1");
        var port = cluster.Port is { } number ? $"&port={number}" : "";
        return $"postgresql:///{PostgresCluster.Database}?host={host}{port}&user={PostgresCluster.User}&password={cluster.Password}";
    }

    private static string Transition(EmbeddedPostgresOptions options) => Path.Combine(options.DataFolder, "postgres.lock");

    // 0711 when PostgreSQL is someone else, who must pass through to its own folder; every file in it is for us alone.
    private static void MakeDataFolder(string path, PostgresAccount account)
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode passing = UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        Directory.CreateDirectory(path, account.IsOurs ? owner : owner | passing);
        if (!account.IsOurs)
            File.SetUnixFileMode(path, File.GetUnixFileMode(path) | passing);
    }
}
