using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using EventMail.EventStore;

namespace EventMail.Bench;

/// <summary>What it costs that personal fields of events are sealed: the steps, and the same appends and ingest without and with it, taking turns.</summary>
internal static class SealingBench
{
    private const int Pairs = 3;

    public static async Task RunAsync(BenchDatabase database, TimeSpan time)
    {
        Steps();
        foreach (var writers in new[] { 1, 64 })
        {
            Measure.Header($"append: one event of 600 bytes per command, {writers} writers");
            for (var pair = 0; pair < Pairs; pair++)
                foreach (var seal in new[] { false, true })
                    await AppendAsync(database, seal, writers, time);
            Measure.Header($"ingest: 4 KiB, 100 streams, {writers} writers");
            for (var pair = 0; pair < Pairs; pair++)
                foreach (var seal in new[] { false, true })
                    await IngestAsync(database, seal, writers, time);
        }
    }

    // One thread, the best of many rounds: what else runs on the machine does not count.
    private static void Steps()
    {
        const int rounds = 500, each = 100;
        var types = Sample.Types();
        var json = types.Current.Single().Write(Sample.Event(17, 4711, DateTimeOffset.UnixEpoch, ""));
        var members = types.PersonalOf("sample_received")!;
        var (key, stream, splitter) = (new SubjectKey(RandomNumberGenerator.GetBytes(KeyRing.KeyBytes)), Sample.Streams(1)[0].Key, new PersonalSplitter());
        byte[] Seal()
        {
            splitter.Split(json, members);
            EventBox.Close(splitter.Rest, splitter.Taken.Written, key, stream, 17);
            return splitter.Rest.Written.ToArray();
        }
        var stored = Seal();
        splitter.Split(json, members);
        var taken = splitter.Taken.Written.ToArray();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"an event of {json.Length} octets, {stored.Length} sealed: taken apart {Best(() => splitter.Split(json, members)):n2} µs, with the box {Best(() => Seal()):n2} µs; put together {Best(() => PersonalMerge.Merge(stored, taken)):n2} µs, read {Best(() => types.Read("sample_received", json)):n2} µs"));

        static double Best(Action action)
        {
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
    }

    private static string Name(bool seal) => seal ? "sealed" : "plain";

    private static async Task AppendAsync(BenchDatabase database, bool seal, int writers, TimeSpan time)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), [], keys: new() { SealEvents = seal });
        var streams = Sample.Streams(writers);
        await Measure.RunAsync(Name(seal), writers, time, database.Postmaster, async i => await log.Executor.ExecuteAsync(new SampleCommand(streams[i]), default));
    }

    private static async Task IngestAsync(BenchDatabase database, bool seal, int writers, TimeSpan time)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), [new HeaderTable()], keys: new() { SealEvents = seal });
        var streams = Sample.Streams(100);
        var bodies = new Bodies([4096]);
        await Measure.RunAsync(Name(seal), writers, time, database.Postmaster, async _ =>
        {
            var (body, n) = bodies.Next();
            await log.Executor.ExecuteAsync(new SampleCommand(streams[n % streams.Length], await log.Contents.StageAsync(body)), default);
        });
    }
}
