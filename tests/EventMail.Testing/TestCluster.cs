using EventMail.EventStore.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Testing;

/// <summary>
/// The PostgreSQL of this test process: started on first use by the Host's own code, in a temporary folder, and stopped and
/// deleted when the process ends, however it ends.
/// </summary>
public static class TestCluster
{
    /// <summary>Nothing in it outlives the tests. Durability itself is tested with servers of their own.</summary>
    public static readonly IReadOnlyDictionary<string, string> Settings = new Dictionary<string, string>
    {
        ["fsync"] = "off",
        ["synchronous_commit"] = "off",
        ["full_page_writes"] = "off",
        ["shared_buffers"] = "128MB",
        ["min_wal_size"] = "80MB",
        ["max_wal_size"] = "256MB",
        ["max_connections"] = "200",
        ["max_prepared_transactions"] = "2",
    };

    private static readonly Lazy<Task<EmbeddedPostgres>> Started = new(StartAsync);

    // Kept: the watchdog ends when its pipe is closed, also by the garbage collector.
    private static IDisposable? s_watchdog;

    public static Task<EmbeddedPostgres> GetAsync() => Started.Value;

    private static async Task<EmbeddedPostgres> StartAsync()
    {
        var folder = Watchdog.NewFolder();
        s_watchdog = Watchdog.Guard(folder);
        return await EmbeddedPostgres.StartAsync(
            new()
            {
                DataFolder = folder,
                Settings = Settings,
            },
            NullLogger.Instance, CancellationToken.None);
    }
}
