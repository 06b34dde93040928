using System.Diagnostics;
using System.Globalization;

namespace EventMail.EventStore.Embedded;

/// <summary>A running PostgreSQL: one that we started, or one found running in the cluster's folder.</summary>
internal sealed class Postmaster
{
    private static readonly TimeSpan OrphansPatience = TimeSpan.FromSeconds(10);

    private readonly string _pidFile;

    private Postmaster(int pid, string dataDirectory, Task exited)
    {
        Pid = pid;
        _pidFile = PidFile(dataDirectory);
        Exited = exited;
    }

    public int Pid { get; }

    /// <summary>Completes when the process has ended, wished or not.</summary>
    public Task Exited { get; }

    /// <summary>
    /// Starts PostgreSQL and waits until it takes connections, however long it has to recover; throws with its own words
    /// when it ends instead.
    /// </summary>
    /// <param name="runFolder">Where its socket goes; nothing else is in it.</param>
    public static async Task<Postmaster> StartAsync(
        PostgresBinaries binaries, PostgresAccount account, string dataDirectory, string runFolder, CancellationToken cancel)
    {
        for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(100, cancel))
        {
            RemoveStaleLocks(dataDirectory, runFolder);
            try
            {
                return await StartOnceAsync(binaries, account, dataDirectory, cancel);
            }
            catch (EmbeddedPostgresException error) when (error.Message.Contains("pre-existing shared memory block", StringComparison.Ordinal)
                && Stopwatch.GetElapsedTime(started) < OrphansPatience)
            {
                // The children of a killed postmaster hold its shared memory until they notice.
            }
        }
    }

    private static async Task<Postmaster> StartOnceAsync(
        PostgresBinaries binaries, PostgresAccount account, string dataDirectory, CancellationToken cancel)
    {
        var process = new Process { StartInfo = account.Command(binaries.Postgres, "-D", dataDirectory), EnableRaisingEvents = true };
        var exited = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.Exited += (_, _) => exited.TrySetResult();
        process.Start();
        process.StandardInput.Close();
        var said = DrainAsync(process);

        var postmaster = new Postmaster(process.Id, dataDirectory, exited.Task);
        while (!postmaster.IsReady())
        {
            if (exited.Task.IsCompleted)
                throw new EmbeddedPostgresException($"PostgreSQL did not start: {await said}\n{LastLogLines(dataDirectory)}");
            await Task.WhenAny(exited.Task, Task.Delay(10, cancel));
            if (cancel.IsCancellationRequested)
            {
                await postmaster.StopAsync(TimeSpan.FromSeconds(10));
                cancel.ThrowIfCancellationRequested();
            }
        }
        return postmaster;
    }

    /// <summary>The PostgreSQL that runs in this folder, started by someone else.</summary>
    public static Postmaster? Find(string dataDirectory)
    {
        if (ReadPid(dataDirectory) is not { } pid || !IsPostmasterOf(pid, dataDirectory))
            return null;
        return new Postmaster(pid, dataDirectory, PollAsync(pid, dataDirectory));
    }

    /// <summary>
    /// Fast shutdown: open transactions are rolled back, a checkpoint is written. One that takes longer than
    /// <paramref name="patience"/> becomes an immediate one, which loses nothing either but makes the next start recover.
    /// </summary>
    /// <returns>False when it had to be stopped at once.</returns>
    public async Task<bool> StopAsync(TimeSpan patience)
    {
        Posix.Signal(Pid, Posix.SigInt);
        if (await EndsWithinAsync(patience))
            return true;
        Posix.Signal(Pid, Posix.SigQuit);
        if (!await EndsWithinAsync(TimeSpan.FromSeconds(10)))
        {
            Posix.Signal(Pid, Posix.SigKill);
            await Exited;
        }
        return false;
    }

    public async Task WaitUntilReadyAsync(CancellationToken cancel)
    {
        while (!IsReady())
        {
            if (Exited.IsCompleted)
                throw new EmbeddedPostgresException("The database is not there: PostgreSQL ended while it was starting. Try again; its log is in the data folder, postgres/data/log.");
            await Task.Delay(10, cancel);
        }
    }

    private async Task<bool> EndsWithinAsync(TimeSpan patience) => await Task.WhenAny(Exited, Task.Delay(patience)) == Exited;

    // postmaster.pid: pid, data directory, start time, port, socket folder, listen address, shared memory key, status.
    private bool IsReady()
    {
        try
        {
            var lines = File.ReadAllLines(_pidFile);
            return lines.Length >= 8 && lines[0].Trim() == Pid.ToString(CultureInfo.InvariantCulture) && lines[7].Trim() == "ready";
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static string PidFile(string dataDirectory) => Path.Combine(dataDirectory, "postmaster.pid");

    private static int? ReadPid(string dataDirectory)
    {
        try
        {
            return int.TryParse(File.ReadLines(PidFile(dataDirectory)).FirstOrDefault(), CultureInfo.InvariantCulture, out var pid) ? pid : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    // A number left over from before a reboot, or from another container, may be any process by now, or a zombie that nobody
    // collects, and PostgreSQL would refuse to start because of it.
    private static void RemoveStaleLocks(string dataDirectory, string runFolder)
    {
        if (ReadPid(dataDirectory) is { } pid && IsPostmasterOf(pid, dataDirectory))
            return;
        File.Delete(PidFile(dataDirectory));
        foreach (var socket in Directory.EnumerateFiles(runFolder, ".s.PGSQL.*"))
            File.Delete(socket);
    }

    private static bool IsPostmasterOf(int pid, string dataDirectory)
    {
        if (!Directory.Exists("/proc/self"))
            return Posix.Signal(pid, 0);
        try
        {
            // A postmaster works in its data directory; a zombie works nowhere.
            return Directory.ResolveLinkTarget($"/proc/{pid}/cwd", returnFinalTarget: false)?.FullName == RealPath(dataDirectory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string RealPath(string path)
    {
        var resolved = "/";
        foreach (var name in Path.GetFullPath(path).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            resolved = Path.Combine(resolved, name);
            resolved = Directory.ResolveLinkTarget(resolved, returnFinalTarget: true)?.FullName ?? resolved;
        }
        return resolved;
    }

    private static async Task PollAsync(int pid, string dataDirectory)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (IsPostmasterOf(pid, dataDirectory))
            await tick.WaitForNextTickAsync();
    }

    private static async Task<string> DrainAsync(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        return (await output + error).Trim();
    }

    private static string LastLogLines(string dataDirectory)
    {
        var folder = new DirectoryInfo(Path.Combine(dataDirectory, "log"));
        var newest = folder.Exists ? folder.EnumerateFiles().MaxBy(file => file.LastWriteTimeUtc) : null;
        return newest is null ? "" : string.Join('\n', File.ReadLines(newest.FullName).TakeLast(5));
    }
}
