using System.Diagnostics;
using System.Globalization;
using EventMail.EventStore;
using EventMail.Projections;
using Npgsql;

namespace EventMail.Bench;

/// <summary>
/// Read models built from a log of message events, all of them and each alone, beside COPY of the same rows to nowhere; then beside mail that
/// comes in, and what that mail notices of it.
/// </summary>
internal static class RebuildBench
{
    public const int DefaultEvents = 1_000_000;

    public static List<string> Folded => [.. ReadModels.Inline().Where(m => m is { Source: ReadModelSource.Log, Tables.Count: > 0 }).Select(m => m.Name)];

    public static GenerationOptions OptionsOf(string connectionString, string folder) => new()
    {
        ConnectionString = connectionString,
        Types = EventTypes.Create(),
        DataFolder = folder,
        Kinds = ReadModels.Kinds,
        Models = ReadModels.Inline(),
    };

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
        await BesideBench.RunAsync(database, connectionString, count, reps);
    }

    public static async Task<string> MakeLogAsync(BenchDatabase database, int count, int reps)
    {
        var clock = Stopwatch.StartNew();
        var connectionString = await MessageLog.CreateAsync(database, count);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count:n0} events, made in {clock.Elapsed.TotalSeconds:n0} s; {reps} repetitions, medians"));
        return connectionString;
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
}
