using System.Diagnostics;

namespace EventMail.Testing;

/// <summary>
/// Ends what runs in a temporary data folder and deletes the folder, when this process ends, however it ends.
/// </summary>
internal static class Watchdog
{
    private const string Script =
        """
        cat > /dev/null
        server=$(sed -n 's/^pid \([0-9]*\),.*/\1/p' "$1/host.lock")
        # The number may be someone else's by now.
        [ -n "$server" ] && grep -q -- "$1" "/proc/$server/cmdline" && kill -KILL "$server"
        pid=$(head -n 1 "$1/postgres/data/postmaster.pid")
        [ "$(readlink "/proc/$pid/cwd")" = "$1/postgres/data" ] && kill -QUIT "$pid"
        for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" && sleep 0.1; done
        rm -rf "$1"
        """;

    /// <summary>Its standard input is a pipe that only this process holds open. Disposing ends the watch at once, with the same effect.</summary>
    public static IDisposable Guard(string folder) => new Guarded(Process.Start(new ProcessStartInfo("setsid")
    {
        ArgumentList = { "sh", "-c", Script, "eventmail-test-watchdog", folder },
        WorkingDirectory = "/",
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!);

    /// <summary>One that is not there yet.</summary>
    /// <param name="onDisk">Also where there is room in memory.</param>
    public static string NewFolder(bool onDisk = false) =>
        Path.Combine(onDisk ? Path.GetTempPath() : MemoryFolder.OrTemp, $"eventmail-test-{Environment.ProcessId}-{Random.Shared.Next():x}");

    private sealed class Guarded(Process process) : IDisposable
    {
        public void Dispose()
        {
            process.StandardInput.Close();
            process.Dispose();
        }
    }
}
