using System.Diagnostics;
using System.Globalization;
using EventMail.EventStore;
using EventMail.EventStore.Embedded;
using EventMail.Projections;
using Npgsql;

namespace EventMail.Bench;

/// <summary>
/// Read models built from a log of message events, all of them and each alone, beside COPY of the same rows to nowhere; then beside mail that
/// comes in, and what that mail notices of it.
/// </summary>
internal static class RebuildBench
{
    private const int DefaultEvents = 1_000_000;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan LongestBesideMail = TimeSpan.FromSeconds(60);

    /// <summary>The name under which this program is a builder for the one that measures the mail: two arguments follow, <see cref="BuildOnceAsync"/>'s.</summary>
    public const string Builder = "build";

    private static List<string> Folded => [.. ReadModels.Inline().Where(m => m is { Source: ReadModelSource.Log, Tables.Count: > 0 }).Select(m => m.Name)];

    private static GenerationOptions OptionsOf(string connectionString, string folder) => new()
    {
        ConnectionString = connectionString,
        Types = EventTypes.Create(),
        DataFolder = folder,
        Kinds = ReadModels.Kinds,
        Models = ReadModels.Inline(),
    };

    /// <summary>Builds as `eventmail projections rebuild` does, in a process of its own, and prints how far it is, a position a line.</summary>
    public static Task BuildOnceAsync(string connectionString, string folder)
    {
        var priority = new LowPriority(ofPostgres: true);
        priority.TakeOn();
        return new Generations(OptionsOf(connectionString, folder) with { Priority = priority }).RebuildAsync(
            Folded, changeOver: false, progress => Console.Out.WriteLineAsync(progress.Build.Position.ToString(CultureInfo.InvariantCulture)), default);
    }

    public static async Task RunAsync(BenchDatabase database, int? events, int reps)
    {
        var count = events ?? DefaultEvents;
        var connectionString = await MakeLogAsync(database, count, reps);
        var generations = new Generations(OptionsOf(connectionString, database.Folder));
        await CopyAsync(connectionString); // into memory

        Console.WriteLine($"{"",-24} {"events/s",12} {"of COPY",8} {"server µs",10} {"our µs",8}");
        var (copy, all, alone) = (new List<Run>(), new List<Run>(), new Dictionary<string, List<Run>>());
        var models = Folded;
        for (var rep = 0; rep < reps; rep++)
        {
            copy.Add(await MeasureAsync(database, count, () => CopyAsync(connectionString)));
            all.Add(await MeasureAsync(database, count, () => BuildAsync(generations, models)));
            foreach (var model in models)
            {
                if (!alone.TryGetValue(model, out var runs))
                    alone[model] = runs = [];
                runs.Add(await MeasureAsync(database, count, () => BuildAsync(generations, [model])));
            }
        }
        Print("COPY mt_events TO STDOUT", copy, copy);
        Print("all read models", all, copy);
        foreach (var (model, runs) in alone)
            Print(model, runs, copy);
        await BesideMailAsync(database, connectionString, count, reps);
    }

    /// <summary>Only what mail notices of it.</summary>
    public static async Task RunBesideMailAsync(BenchDatabase database, int? events, int reps)
    {
        var count = events ?? DefaultEvents;
        await BesideMailAsync(database, await MakeLogAsync(database, count, reps), count, reps);
    }

    private static async Task<string> MakeLogAsync(BenchDatabase database, int count, int reps)
    {
        var clock = Stopwatch.StartNew();
        var connectionString = await MessageLog.CreateAsync(database, count);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count:n0} events, made in {clock.Elapsed.TotalSeconds:n0} s; {reps} repetitions, medians"));
        return connectionString;
    }

    private static async Task BesideMailAsync(BenchDatabase database, string connectionString, int count, int reps)
    {
        var (generations, models) = (new Generations(OptionsOf(connectionString, database.Folder)), Folded);
        // What the log says is live by then.
        await generations.RebuildAsync(models, changeOver: true, _ => Task.CompletedTask, default);
        await using var log = await MessageLog.OpenAsync(database, connectionString, []);
        await using var traffic = await LiveTraffic.StartAsync(log);
        await QuietAsync(traffic, TimeSpan.FromSeconds(3)); // warm
        var (rates, ratios) = (new List<double>(), new List<double>());
        for (var rep = 0; rep < reps; rep++)
        {
            var alone = await QuietAsync(traffic, Quiet);
            using var stop = new CancellationTokenSource();
            var running = traffic.RunAsync(stop.Token);
            var clock = Stopwatch.StartNew();
            var folded = await BuildElsewhereAsync(connectionString, database.Folder);
            rates.Add(Math.Min(folded, count) / clock.Elapsed.TotalSeconds);
            await stop.CancelAsync();
            var beside = await running;
            ratios.Add(At(beside, 0.99) / At(alone, 0.99));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"mail alone: p50 {At(alone, 0.5):n2} p99 {At(alone, 0.99):n2} ms of {alone.Count:n0}; beside a build ({rates[^1]:n0} events/s): p50 {At(beside, 0.5):n2} p99 {At(beside, 0.99):n2} ms of {beside.Count:n0}: {ratios[^1]:n2}"));
            await generations.DropNextAsync(default);
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"beside mail, medians: {Median(rates):n0} events/s, p99 {Median(ratios):n2} of that of mail alone"));
    }

    // As far as it comes: its time is bounded. A session of its own, as a timer's or a cron job's.
    private static async Task<long> BuildElsewhereAsync(string connectionString, string folder)
    {
        using var builder = Process.Start(new ProcessStartInfo("setsid", ["--wait", Environment.ProcessPath!, Builder, connectionString, folder]) { RedirectStandardOutput = true })!;
        using var longest = new CancellationTokenSource(LongestBesideMail);
        await using var end = longest.Token.Register(builder.Kill);
        var folded = 0L;
        while (await builder.StandardOutput.ReadLineAsync() is { } line)
            folded = long.Parse(line, CultureInfo.InvariantCulture);
        await builder.WaitForExitAsync();
        return builder.ExitCode == 0 || longest.IsCancellationRequested ? folded : throw new InvalidOperationException($"the builder ended with {builder.ExitCode}");
    }

    private static async Task<List<double>> QuietAsync(LiveTraffic traffic, TimeSpan time)
    {
        using var stop = new CancellationTokenSource(time);
        return await traffic.RunAsync(stop.Token);
    }

    private static async Task BuildAsync(Generations generations, IReadOnlyList<string> models)
    {
        await generations.RebuildAsync(models, changeOver: false, _ => Task.CompletedTask, default);
        await generations.DropNextAsync(default);
    }

    // Octets are counted and thrown away, as /dev/null would.
    private static async Task CopyAsync(string connectionString)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        using var copy = (StreamReader)await connection.BeginTextExportAsync("copy public.mt_events to stdout");
        var buffer = new byte[128 * 1024];
        while (await copy.BaseStream.ReadAsync(buffer) > 0)
        {
        }
    }

    private readonly record struct Run(double PerSecond, double ServerMicros, double OurMicros);

    private static async Task<Run> MeasureAsync(BenchDatabase database, int events, Func<Task> work)
    {
        GC.Collect();
        var (server, ours, clock) = (Measure.ServerTime(database.Postmaster), Environment.CpuUsage.TotalTime, Stopwatch.StartNew());
        await work();
        return new(
            events / clock.Elapsed.TotalSeconds, (Measure.ServerTime(database.Postmaster) - server).TotalMicroseconds / events,
            (Environment.CpuUsage.TotalTime - ours).TotalMicroseconds / events);
    }

    private static void Print(string name, List<Run> runs, List<Run> copy)
    {
        // Pair by pair: the machine drifts.
        var ratio = Median([.. runs.Zip(copy, (run, of) => run.PerSecond / of.PerSecond)]);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name,-24} {Median([.. runs.Select(r => r.PerSecond)]),12:n0} {ratio,8:n2} {Median([.. runs.Select(r => r.ServerMicros)]),10:n2} {Median([.. runs.Select(r => r.OurMicros)]),8:n2}"));
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private static double At(List<double> sorted, double share) => sorted[(int)((sorted.Count - 1) * share)];
}
