using EventMail.EventStore;

namespace EventMail.Bench;

/// <summary>
/// Messages per second into the log: a content row, an event, the stream's version and a header row each, by the executor and by
/// plain batched statements that write the same rows.
/// </summary>
internal static class IngestBench
{
    public static async Task RunAsync(BenchDatabase database, TimeSpan time)
    {
        foreach (var (title, sizes) in new (string, int[])[]
        {
            ("4 KiB", [4096]),
            // Most mail is small, most bytes are in large mail.
            ("mixed (2 KiB to 100 KiB, mean 17 KiB)", [2048, 3000, 3500, 4096, 5000, 8000, 12_000, 16_000, 20_000, 100_000]),
        })
        {
            Measure.Header($"ingest: {title}, 100 streams, 10 connections");
            await RawAsync(database, sizes, 1, time);
            await RawAsync(database, sizes, 16, time);
            await ExecutorAsync(database, sizes, 10, time);
            await ExecutorAsync(database, sizes, 64, time);
        }
    }

    private static async Task ExecutorAsync(BenchDatabase database, int[] sizes, int writers, TimeSpan time)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), [new HeaderTable()]);
        var streams = Sample.Streams(100);
        var bodies = new Bodies(sizes);
        await Measure.RunAsync($"executor, {writers} writers", writers, time, database.Postmaster, async _ =>
        {
            var (body, n) = bodies.Next();
            await log.Executor.ExecuteAsync(
                new SampleCommand(streams[n % streams.Length], await log.Contents.StageAsync(body)), default);
        });
    }

    private static async Task RawAsync(BenchDatabase database, int[] sizes, int group, TimeSpan time)
    {
        var connectionString = await database.CreateAsync();
        await (await database.OpenLogAsync(connectionString, [new HeaderTable()])).DisposeAsync();
        var streams = Sample.Streams(100);
        await RawIngest.CreateStreamsAsync(connectionString, streams);
        var connections = group == 1 ? 10 : 2;
        var raw = new List<RawIngest>();
        for (var i = 0; i < connections; i++)
            raw.Add(await RawIngest.OpenAsync(connectionString, [.. streams.Where((_, n) => n % connections == i)], new(sizes, i + 1)));
        await Measure.RunAsync(
            $"plain batches of {group}, {connections} connections", connections, time, database.Postmaster,
            i => raw[i].IngestAsync(group), group);
        foreach (var connection in raw)
            await connection.DisposeAsync();
    }
}

/// <summary>Bodies that compress about as text does, each with bytes of its own.</summary>
internal sealed class Bodies
{
    private const string Words = "the of and to in that was his with for had not are but from have they which one you were all her she there ";

    private readonly byte[][] _bodies;
    private readonly int _seed;
    private int _count;

    public Bodies(int[] sizes, int seed = 0)
    {
        _seed = seed;
        var random = new Random(17);
        var words = Words.Split(' ');
        _bodies = [.. sizes.Select(size =>
        {
            var text = new System.Text.StringBuilder(size + 20);
            while (text.Length < size)
                text.Append(random.Next(4) == 0 ? random.Next(100_000).ToString() : words[random.Next(words.Length)]).Append(' ');
            return System.Text.Encoding.ASCII.GetBytes(text.ToString(0, size));
        })];
    }

    public (byte[] Body, int Number) Next()
    {
        var number = Interlocked.Increment(ref _count);
        var body = (byte[])_bodies[number % _bodies.Length].Clone();
        System.Text.Encoding.ASCII.GetBytes($"{_seed}/{number}:", body);
        return (body, number);
    }
}
