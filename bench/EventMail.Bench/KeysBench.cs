using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using EventMail.EventStore;

namespace EventMail.Bench;

/// <summary>What it costs that contents are encrypted: the same work on contents stored plain and encrypted, taking turns.</summary>
internal static class KeysBench
{
    private const int Pairs = 3;
    private const int Messages = 2000;

    public static async Task RunAsync(BenchDatabase database, TimeSpan time)
    {
        Steps();
        Measure.Header("ingest: 4 KiB, 100 streams, 10 writers");
        for (var pair = 0; pair < Pairs; pair++)
            foreach (var encrypt in new[] { false, true })
                await IngestAsync(database, encrypt, time);
        foreach (var (title, sizes) in ReadBench.Sizes)
        {
            Console.WriteLine();
            for (var pair = 0; pair < Pairs; pair++)
                foreach (var encrypt in new[] { false, true })
                    await ReadAsync(database, encrypt, title, sizes);
        }
    }

    // One thread, the best of many rounds: what else runs on the machine does not count.
    private static void Steps()
    {
        var key = RandomNumberGenerator.GetBytes(KeyRing.KeyBytes);
        foreach (var size in new[] { 1024, 4096, 16 * 1024, 64 * 1024 })
        {
            var body = new Bodies([size]).Next().Body;
            var row = SealedRow.Seal(body, key);
            var block = new byte[size];
            var packed = block.AsSpan(0, Lz4Block.Compress(body, block)).ToArray();
            var back = new byte[size];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{size,6} octets, {row.Length,6} sealed: seal {Measure.Best(() => SealedRow.Seal(body, key)):n1} µs, open {Measure.Best(() => SealedRow.TryOpen(row, key, back)):n1} µs; of it LZ4 {Measure.Best(() => Lz4Block.Compress(body, block)):n1} and {Measure.Best(() => Lz4Block.TryDecompress(packed, back)):n1} µs; SHA-256 {Measure.Best(() => SHA256.HashData(body)):n1} µs"));
        }
    }

    private static string Name(bool encrypt) => encrypt ? "encrypted" : "plain";

    private static async Task IngestAsync(BenchDatabase database, bool encrypt, TimeSpan time)
    {
        var connectionString = await database.CreateAsync();
        await using var log = await database.OpenLogAsync(connectionString, [new HeaderTable()], keys: new() { EncryptContents = encrypt });
        var streams = Sample.Streams(100);
        var bodies = new Bodies([4096]);
        await Measure.RunAsync(Name(encrypt), 10, time, database.Postmaster, async _ =>
        {
            var (body, n) = bodies.Next();
            await log.Executor.ExecuteAsync(new SampleCommand(streams[n % streams.Length], await log.Contents.StageAsync(body)), default);
        });
        await using var command = log.DataSource.CreateCommand("select pg_table_size('eventmail.content') / count(*) from eventmail.content");
        Console.WriteLine($"  {await command.ExecuteScalarAsync()} octets of table a message");
    }

    private static async Task ReadAsync(BenchDatabase database, bool encrypt, string title, int[] sizes)
    {
        var connectionString = await database.CreateAsync();
        var (numbers, octets) = (new List<long>(), new List<long>());
        await using (var log = await database.OpenLogAsync(connectionString, [], keys: new() { EncryptContents = encrypt }))
        {
            var stream = Sample.Streams(1)[0];
            var bodies = new Bodies(sizes);
            for (var i = 0; i < Messages; i++)
            {
                var content = await log.Contents.StageAsync(bodies.Next().Body);
                await log.Executor.ExecuteAsync(new SampleCommand(stream, content), default);
                numbers.Add(content.Number);
                octets.Add(content.Size);
            }
        }
        await using var cold = await database.OpenLogAsync(connectionString, []);
        var times = new List<double>();
        for (var round = 0; round < 3; round++)
        {
            var clock = Stopwatch.StartNew();
            await ReadBench.ReadAllAsync(cold, numbers, octets);
            times.Add(clock.Elapsed.TotalMilliseconds);
        }
        Console.WriteLine($"{title}, {Name(encrypt),-9}: {Messages} contents in {string.Join(", ", times.Select(t => t.ToString("n0")))} ms");
    }
}
