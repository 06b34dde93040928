using System.Diagnostics;

namespace EventMail.Bench;

/// <summary>Reading back: contents in a row, and the log.</summary>
internal static class ReadBench
{
    private const int Messages = 2000;

    /// <summary>What messages are made of.</summary>
    public static IReadOnlyList<(string Title, int[] Sizes)> Sizes { get; } =
    [
        ("4 KiB", [4096]),
        ("mixed, 105 MB", [2048, 3000, 4096, 5000, 8000, 12_000, 20_000, 60_000, 120_000, 290_000]),
    ];

    public static async Task RunAsync(BenchDatabase database)
    {
        foreach (var (title, sizes) in Sizes)
        {
            var connectionString = await database.CreateAsync();
            await using var log = await database.OpenLogAsync(connectionString, []);
            var stream = Sample.Streams(1)[0];
            var bodies = new Bodies(sizes);
            var (numbers, octets) = (new List<long>(), new List<long>());
            for (var i = 0; i < Messages; i++)
            {
                var content = await log.Contents.StageAsync(bodies.Next().Body);
                await log.Executor.ExecuteAsync(new SampleCommand(stream, content), default);
                numbers.Add(content.Number);
                octets.Add(content.Size);
            }
            await using var cold = await database.OpenLogAsync(connectionString, []);
            for (var round = 0; round < 3; round++)
            {
                var clock = Stopwatch.StartNew();
                var bytes = await ReadAllAsync(cold, numbers, octets);
                Console.WriteLine($"{title}: {Messages} contents, {bytes / 1e6:n0} MB in {clock.Elapsed.TotalMilliseconds:n0} ms");
            }
        }
        await FoldAsync(database);
    }

    /// <summary>As who downloads a mailbox; answers how many octets that were.</summary>
    public static async Task<long> ReadAllAsync(EventStore.EventLog log, List<long> numbers, List<long> octets)
    {
        var bytes = 0L;
        await foreach (var content in log.Contents.ReadManyAsync(numbers, octets, keep: false))
        {
            await using var _ = content;
            await using var read = content.OpenRead();
            await read.CopyToAsync(Stream.Null);
            bytes += content.Size;
        }
        return bytes;
    }

    private static async Task FoldAsync(BenchDatabase database)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), []);
        var streams = Sample.Streams(Messages / 10);
        await Task.WhenAll(Enumerable.Range(0, 50 * Messages).Select(i =>
            log.Executor.ExecuteAsync(new SampleCommand(streams[i % streams.Length]), default)));
        for (var round = 0; round < 3; round++)
        {
            var clock = Stopwatch.StartNew();
            var events = await log.Reader.ReadAllAsync(0).CountAsync();
            Console.WriteLine($"the log: {events / clock.Elapsed.TotalSeconds:n0} events/s");
        }
        await using var connection = await log.DataSource.OpenConnectionAsync();
        for (var round = 0; round < 3; round++)
        {
            var clock = Stopwatch.StartNew();
            var states = await log.Reader.FoldAsync(Sample.Kind, connection, [.. streams.Select(s => s.Key)], default);
            Console.WriteLine($"folding {states.Count} streams: {states.Values.Sum(s => s.Version) / clock.Elapsed.TotalSeconds:n0} events/s");
        }
    }
}
