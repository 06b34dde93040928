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
        foreach (var (title, sizes, streams, mail) in new (string, int[], int, string)[]
        {
            ("4 KiB, 100 streams", [4096], 100, "4KB 100 users c=10"),
            ("4 KiB, 1 stream", [4096], 1, "4KB 1 user c=10"),
            // Most mail is small, most bytes are in large mail.
            ("mixed (2 KiB to 100 KiB, mean 17 KiB), 100 streams",
                [2048, 3000, 3500, 4096, 5000, 8000, 12_000, 16_000, 20_000, 100_000], 100, ""),
        })
        {
            Measure.Header($"ingest: {title}");
            await RawAsync(database, sizes, streams, 10, 1, time, mail == "" ? null : ("raw", $"smtp {mail}"));
            await ExecutorAsync(database, sizes, streams, 10, time);
            if (streams > 1)
            {
                await RawAsync(database, sizes, streams, 1, 10, time);
                await RawAsync(database, sizes, streams, 16, 2, time);
            }
            await ExecutorAsync(database, sizes, streams, 64, time);
        }
    }

    private static async Task ExecutorAsync(BenchDatabase database, int[] sizes, int count, int writers, TimeSpan time)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), [new HeaderTable()]);
        var streams = Sample.Streams(count);
        var bodies = new Bodies(sizes);
        await Measure.RunAsync($"executor, {writers} writers", writers, time, database.Postmaster, async _ =>
        {
            var (body, n) = bodies.Next();
            await log.Executor.ExecuteAsync(
                new SampleCommand(streams[n % streams.Length], await log.Contents.StageAsync(body)), default);
        });
    }

    private static async Task RawAsync(
        BenchDatabase database, int[] sizes, int count, int group, int connections, TimeSpan time, (string, string)? row = null)
    {
        var connectionString = await database.CreateAsync();
        await (await database.OpenLogAsync(connectionString, [new HeaderTable()])).DisposeAsync();
        var streams = Sample.Streams(count);
        await RawIngest.CreateStreamsAsync(connectionString, streams);
        var raw = new List<RawIngest>();
        for (var i = 0; i < connections; i++)
            raw.Add(await RawIngest.OpenAsync(connectionString, [.. streams.Where((_, n) => n % connections == i)], new(sizes, i + 1)));
        await Measure.RunAsync(
            $"plain batches of {group}, {connections} connections", connections, time, database.Postmaster,
            i => raw[i].IngestAsync(group), group, row);
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
