using System.Diagnostics;
using System.Globalization;
using EventMail.EventStore;
using EventMail.EventStore.Backup;
using Npgsql;
using EventLog = EventMail.EventStore.EventLog;

namespace EventMail.Bench;

/// <summary>A backup, its verification and its restore, beside pg_dump of the same tables (without compression and with its own).</summary>
internal static class BackupBench
{
    private const int Messages = 50_000;
    private const int Size = 4096;
    private const int Writers = 64;

    public static async Task RunAsync(BenchDatabase database)
    {
        var connection = await database.CreateAsync();
        await using var log = await database.OpenLogAsync(connection, []);
        await FillAsync(log);
        var folder = new BackupFolder(Path.Combine(database.Folder, "backup"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Messages} messages of {Size} octets"));
        await TimeAsync("backup", () => new LogBackup(log, folder, _ => { }).RunAsync(default), () => SizeOf(folder.Path));
        await TimeAsync("backup, nothing new", () => new LogBackup(log, folder, _ => { }).RunAsync(default), () => 0);
        VerifiedBackup? backup = null;
        await TimeAsync("verify", async () => backup = await new BackupVerification(folder, _ => { }).RunAsync(null, default), () => SizeOf(folder.Path));
        var restored = await database.CreateAsync();
        await TimeAsync(
            "restore", () => new LogRestore(restored, Path.Combine(database.Folder, "restored"), folder, backup!, null, _ => Task.CompletedTask, _ => { }).RunAsync(default), () => 0);
        foreach (var (name, options) in new[] { ("pg_dump, plain", "-Fp"), ("pg_dump, its own compression", "-Fc") })
        {
            var file = Path.Combine(database.Folder, $"dump{options}");
            await TimeAsync(name, () => DumpAsync(connection, options, file), () => new FileInfo(file).Length);
        }
    }

    private static async Task FillAsync(EventLog log)
    {
        var streams = Sample.Streams(Writers);
        var bodies = new Bodies([Size]);
        await Parallel.ForEachAsync(Enumerable.Range(0, Messages), new ParallelOptions { MaxDegreeOfParallelism = Writers }, async (i, cancel) =>
        {
            byte[] body;
            lock (bodies)
                body = bodies.Next().Body;
            var content = await log.Contents.StageAsync(body, cancel: cancel);
            await log.Executor.ExecuteAsync(new SampleCommand(streams[i % Writers], content), cancel);
        });
    }

    private static async Task TimeAsync(string what, Func<Task> work, Func<long> octets)
    {
        var began = Stopwatch.GetTimestamp();
        await work();
        var time = Stopwatch.GetElapsedTime(began);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{what,-30} {time.TotalSeconds,8:0.00} s {Messages / time.TotalSeconds,10:0} messages/s {octets() / 1048576.0,8:0.0} MiB"));
    }

    private static long SizeOf(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(path => new FileInfo(path).Length);

    private static async Task DumpAsync(string connectionString, string format, string file)
    {
        var to = new NpgsqlConnectionStringBuilder(connectionString);
        var start = new ProcessStartInfo("pg_dump", [format, "-n", "public", "-n", "eventmail", "-f", file, "-h", to.Host!, "-p", $"{to.Port}", "-U", to.Username!, to.Database!]);
        start.Environment["PGPASSWORD"] = to.Password;
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"pg_dump ended with {process.ExitCode}");
    }
}
