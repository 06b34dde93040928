using System.Diagnostics;
using System.Globalization;
using EventMail.EventStore;
using EventMail.EventStore.Embedded;

namespace EventMail.Bench;

/// <summary>
/// What mail that comes in notices of a rebuild, which is a process of its own as `eventmail projections rebuild` is: beside the share of the time
/// that it takes by default, beside all of it, and beside a loop on the same processor that only counts, which is what any work there costs.
/// </summary>
internal static class BesideBench
{
    /// <summary>The name under which this program is what goes on beside the mail: three arguments follow, <see cref="WorkAsync"/>'s.</summary>
    public const string Worker = "beside-mail";

    private const string Loop = "loop";
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Counted = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private static readonly (string Name, string Share)[] Kinds =
    [
        (string.Create(CultureInfo.InvariantCulture, $"a build, {GenerationOptions.DefaultShareBesideOthers:p0} of the time"), GenerationOptions.DefaultShareBesideOthers.ToString(CultureInfo.InvariantCulture)),
        ("a build, all of the time", "1"), ("a loop that counts", Loop),
    ];

    /// <summary>Builds, and prints how far it is, a position a line; or counts, for so long.</summary>
    public static Task WorkAsync(string connectionString, string folder, string share)
    {
        var processor = OneProcessor.TakeOn();
        if (share != Loop)
        {
            var options = RebuildBench.OptionsOf(connectionString, folder) with { Processor = processor, ShareBesideOthers = double.Parse(share, CultureInfo.InvariantCulture) };
            return new Generations(options).RebuildAsync(
                RebuildBench.Folded, changeOver: false, progress => Console.Out.WriteLineAsync(progress.Build.Position.ToString(CultureInfo.InvariantCulture)), default);
        }
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < Counted;)
        {
        }
        return Task.CompletedTask;
    }

    public static async Task RunAsync(BenchDatabase database, int? events, int reps)
    {
        var count = events ?? RebuildBench.DefaultEvents;
        await RunAsync(database, await RebuildBench.MakeLogAsync(database, count, reps), count, reps);
    }

    /// <param name="count">Events of the log.</param>
    public static async Task RunAsync(BenchDatabase database, string connectionString, int count, int reps)
    {
        var generations = new Generations(RebuildBench.OptionsOf(connectionString, database.Folder));
        // What the log says is live by then.
        await generations.RebuildAsync(RebuildBench.Folded, changeOver: true, _ => Task.CompletedTask, default);
        await using var log = await MessageLog.OpenAsync(database, connectionString, []);
        await using var traffic = await LiveTraffic.StartAsync(log);
        await QuietAsync(traffic, TimeSpan.FromSeconds(3)); // warm
        var all = Kinds.Select(kind => new Runs(kind.Name)).ToList();
        for (var rep = 0; rep < reps; rep++)
        {
            foreach (var ((_, share), runs) in Kinds.Zip(all))
            {
                runs.Alone.Add(await QuietAsync(traffic, Quiet));
                using var stop = new CancellationTokenSource();
                var running = traffic.RunAsync(stop.Token);
                var clock = Stopwatch.StartNew();
                var folded = await WorkElsewhereAsync(connectionString, database.Folder, share);
                runs.Rates.Add(Math.Min(folded, count) / clock.Elapsed.TotalSeconds);
                await stop.CancelAsync();
                runs.Beside.Add(await running);
                await generations.DropNextAsync(default);
            }
        }
        foreach (var runs in all)
            runs.Print();
    }

    // As far as it comes: its time is bounded. In a session of its own, as whoever started the server has another than who rebuilds: Linux may
    // share processors out among sessions.
    private static async Task<long> WorkElsewhereAsync(string connectionString, string folder, string share)
    {
        using var worker = Process.Start(new ProcessStartInfo("setsid", ["--wait", Environment.ProcessPath!, Worker, connectionString, folder, share]) { RedirectStandardOutput = true })!;
        using var longest = new CancellationTokenSource(Longest);
        await using var end = longest.Token.Register(() => worker.Kill(entireProcessTree: true));
        var folded = 0L;
        while (await worker.StandardOutput.ReadLineAsync() is { } line)
            folded = long.Parse(line, CultureInfo.InvariantCulture);
        await worker.WaitForExitAsync();
        return worker.ExitCode == 0 || longest.IsCancellationRequested ? folded : throw new InvalidOperationException($"the worker ended with {worker.ExitCode}");
    }

    private static async Task<List<double>> QuietAsync(LiveTraffic traffic, TimeSpan time)
    {
        using var stop = new CancellationTokenSource(time);
        return await traffic.RunAsync(stop.Token);
    }

    /// <summary>Times in ms, sorted, of each repetition.</summary>
    private sealed record Runs(string Name)
    {
        public List<List<double>> Alone { get; } = [];

        public List<List<double>> Beside { get; } = [];

        public List<double> Rates { get; } = [];

        public void Print()
        {
            var ratios = Alone.Zip(Beside, (alone, beside) => At(beside, 0.99) / At(alone, 0.99)).Order().ToList();
            var (alone, beside) = (Alone.SelectMany(t => t).Order().ToList(), Beside.SelectMany(t => t).Order().ToList());
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"beside {Name,-28} {Rates.Order().ElementAt(Rates.Count / 2),9:n0} events/s; mail: p50 {At(alone, 0.5):n2} -> {At(beside, 0.5):n2} ms, p99 {At(alone, 0.99):n2} -> {At(beside, 0.99):n2} ms of {beside.Count:n0}: {At(beside, 0.99) / At(alone, 0.99):n2} times; repetitions {string.Join(' ', ratios.Select(r => r.ToString("n2", CultureInfo.InvariantCulture)))}"));
        }

        private static double At(List<double> sorted, double share) => sorted[(int)((sorted.Count - 1) * share)];
    }
}
