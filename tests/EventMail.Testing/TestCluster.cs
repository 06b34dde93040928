using System.Diagnostics;
using EventMail.EventStore.Embedded;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Testing;

/// <summary>
/// The PostgreSQL of this test process: started on first use by the Host's own code, in a temporary folder, and stopped and
/// deleted when the process ends, however it ends.
/// </summary>
public static class TestCluster
{
    private static readonly Lazy<Task<EmbeddedPostgres>> Started = new(StartAsync);

    public static Task<EmbeddedPostgres> GetAsync() => Started.Value;

    private static async Task<EmbeddedPostgres> StartAsync()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"eventmail-test-{Environment.ProcessId}-{Random.Shared.Next():x}");
        StartWatchdog(folder);
        return await EmbeddedPostgres.StartAsync(
            new()
            {
                DataFolder = folder,
                // Nothing in it outlives the tests. Durability itself is tested with servers of their own.
                Settings = new Dictionary<string, string>
                {
                    ["fsync"] = "off",
                    ["synchronous_commit"] = "off",
                    ["full_page_writes"] = "off",
                    ["shared_buffers"] = "128MB",
                    ["min_wal_size"] = "80MB",
                    ["max_connections"] = "200",
                },
            },
            NullLogger.Instance, CancellationToken.None);
    }

    // Its standard input is a pipe that only this process holds open: it ends when this process does.
    private static void StartWatchdog(string folder) => Process.Start(new ProcessStartInfo("setsid")
    {
        ArgumentList =
        {
            "sh", "-c",
            """
            cat > /dev/null
            pid=$(head -n 1 "$1/postgres/data/postmaster.pid") && kill -QUIT "$pid"
            for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" && sleep 0.1; done
            rm -rf "$1"
            """,
            "eventmail-test-watchdog", folder,
        },
        WorkingDirectory = "/",
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    });
}
