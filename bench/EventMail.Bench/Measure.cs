using System.Diagnostics;
using System.Globalization;

namespace EventMail.Bench;

/// <summary>Runs writers for a while and tells rate, latency and CPU per operation of either side.</summary>
internal static class Measure
{
    public static void Header(string title) =>
        Console.WriteLine($"\n{title}\n{"",-44} {"per s",9} {"server µs",10} {"client µs",10} {"p50 ms",8} {"p99 ms",8} {"client B",9}");

    /// <param name="writer">One operation of one writer.</param>
    /// <param name="row">The label and the case under which the figures are also written, as MailBench's are, to the file in BENCH_JSON.</param>
    public static async Task RunAsync(
        string name, int writers, TimeSpan time, int? postmaster, Func<int, Task> writer, int perCall = 1, (string Label, string Case)? row = null)
    {
        await RunWritersAsync(writers, TimeSpan.FromSeconds(Math.Min(1, time.TotalSeconds / 2)), writer);
        var server = ServerTime(postmaster);
        var client = Process.GetCurrentProcess().TotalProcessorTime;
        var allocated = GC.GetTotalAllocatedBytes();
        var clock = Stopwatch.StartNew();
        var latencies = await RunWritersAsync(writers, time, writer);
        var elapsed = clock.Elapsed;
        var count = latencies.Count * perCall;
        var serverMicros = Micros(ServerTime(postmaster) - server);
        var clientMicros = Micros(Process.GetCurrentProcess().TotalProcessorTime - client);
        double Micros(TimeSpan span) => span.TotalMicroseconds / count;
        latencies.Sort();
        double At(double share) => latencies[(int)((latencies.Count - 1) * share)].TotalMilliseconds;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-44} {count / elapsed.TotalSeconds,9:n0} {serverMicros,10:n0} {clientMicros,10:n0} {At(0.5),8:n2} {At(0.99),8:n2} {(GC.GetTotalAllocatedBytes() - allocated) / count,9:n0}"));
        // The store runs in the client's process here: its CPU counts with the database's.
        if (row is { } r && Environment.GetEnvironmentVariable("BENCH_JSON") is { Length: > 0 } file)
            await File.AppendAllTextAsync(file, string.Create(CultureInfo.InvariantCulture,
                $$"""{"label":"{{r.Label}}","case":"{{r.Case}}","count":{{count}},"ops_s":{{count / elapsed.TotalSeconds:0.0}},"server_cpu_us_per_op":{{serverMicros + clientMicros:0.0}},"p50_ms":{{At(0.5):0.000}},"p99_ms":{{At(0.99):0.000}}}""") + "\n");
    }

    /// <summary>Microseconds that an action takes on one thread, the best of many rounds: what else runs on the machine does not count.</summary>
    public static double Best(Action action, int rounds = 500, int each = 50)
    {
        // The compiler's better code comes when nothing new has been called for a tenth of a second: the first rounds say nothing.
        for (var pause = 0; pause < 3; pause++)
        {
            for (var i = 0; i < 50 * each; i++)
                action();
            Thread.Sleep(200);
        }
        var best = TimeSpan.MaxValue;
        for (var round = 0; round < rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < each; i++)
                action();
            var time = Stopwatch.GetElapsedTime(start);
            best = time < best ? time : best;
        }
        return best.TotalMicroseconds / each;
    }

    private static async Task<List<TimeSpan>> RunWritersAsync(int writers, TimeSpan time, Func<int, Task> writer)
    {
        var end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        var all = await Task.WhenAll(Enumerable.Range(0, writers).Select(i => Task.Run(async () =>
        {
            var latencies = new List<TimeSpan>();
            for (var now = Stopwatch.GetTimestamp(); now < end;)
            {
                await writer(i);
                var then = now;
                now = Stopwatch.GetTimestamp();
                latencies.Add(Stopwatch.GetElapsedTime(then, now));
            }
            return latencies;
        })));
        return [.. all.SelectMany(l => l)];
    }

    // User and system time of the postmaster, what it has buried, and its living children.
    public static TimeSpan ServerTime(int? postmaster)
    {
        if (postmaster is not { } pid || !OperatingSystem.IsLinux())
            return default;
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var id))
                continue;
            try
            {
                var stat = File.ReadAllText($"{folder}/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (id == pid)
                    ticks += fields[11..15].Sum(f => long.Parse(f, CultureInfo.InvariantCulture));
                else if (fields[1] == pid.ToString(CultureInfo.InvariantCulture))
                    ticks += fields[11..13].Sum(f => long.Parse(f, CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }
        return TimeSpan.FromMilliseconds(ticks * 10);
    }
}
