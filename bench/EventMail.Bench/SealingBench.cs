using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EventMail.EventStore;

namespace EventMail.Bench;

/// <summary>
/// What it costs that personal fields of events are sealed: the steps, and the same appends and ingest without and with it, taking turns. With 0
/// seconds a row the steps alone.
/// </summary>
internal static class SealingBench
{
    private const int Pairs = 3;
    private const int Together = 64;

    public static async Task RunAsync(BenchDatabase database, TimeSpan time)
    {
        Steps();
        await BatchStepsAsync(database);
        if (time == TimeSpan.Zero)
            return;
        // The same commits in each row, whatever else the machine does: what differs is the CPU an event.
        Measure.Header($"append: {Together} events to {Together} streams per command, 1 writer");
        for (var pair = 0; pair < Pairs; pair++)
            foreach (var seal in new[] { false, true })
                await TogetherAsync(database, seal, time);
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
            $"an event of {json.Length} octets, {stored.Length} sealed: taken apart {Measure.Best(() => splitter.Split(json, members)):n2} µs, with the box {Measure.Best(() => Seal()):n2} µs; put together {Measure.Best(() => PersonalMerge.Merge(stored, taken)):n2} µs, read {Measure.Best(() => types.Read("sample_received", json)):n2} µs"));
    }

    // What the committer does with a batch of events to as many streams, between deciding and writing it.
    private static async Task BatchStepsAsync(BenchDatabase database)
    {
        const int events = Together;
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), []);
        await using var connection = await log.DataSource.OpenConnectionAsync();
        var type = log.Types.Current.Single();
        var batch = new Batch([], log.Types, DateTimeOffset.UnixEpoch);
        foreach (var stream in Sample.Streams(events))
        {
            var (place, e) = (stream.Key, Sample.Event(17, 4711, DateTimeOffset.UnixEpoch, ""));
            batch.Streams.Add(place, new(stream.Kind, place, new(new SampleState(16), 16) { Last = new(new byte[EventHash.Size], default) }));
            batch.Events.Add(new(new(0, Guid.CreateVersion7(), place, 17, type.Alias, e, DateTimeOffset.UnixEpoch, Sample.Metadata), type, type.Write(e)));
            log.Subjects.Remember(DataSubject.Of(place), new(RandomNumberGenerator.GetBytes(KeyRing.KeyBytes)));
        }
        PendingEvent[] decided = [.. batch.Events];
        var (sealing, hashes) = (new BatchSealing(log.Subjects), new BatchHashes());
        void Decide()
        {
            batch.Events.Clear();
            batch.Events.AddRange(decided);
        }
        // All that it asks for is in memory: it is done when it returns.
        void Seal() => sealing.SealAsync(batch, connection, null).GetAwaiter().GetResult();
        var seal = Measure.Best(() => { Decide(); Seal(); }, each: 10);
        var link = Measure.Best(() => hashes.Link(batch), each: 10);
        var headers = Encoding.UTF8.GetBytes(Sample.Metadata.HeadersJson!);
        var (key, rest, taken) = (new SubjectKey(RandomNumberGenerator.GetBytes(KeyRing.KeyBytes)), new JsonOctets(), new JsonOctets());
        var box = Measure.Best(() => HeaderBox.Seal(headers, key, "t1", rest, taken));
        var plain = Measure.Best(() => { Decide(); hashes.Link(batch); }, each: 10);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"a batch of {events}, an event: sealed {seal / events:n2} µs, then linked {link / events:n2} µs; plain linked {plain / events:n2} µs; a session's headers once {box:n2} µs"));
    }

    private static string Name(bool seal) => seal ? "sealed" : "plain";

    private sealed class TogetherCommand(StreamRef[] streams) : Command
    {
        public override IReadOnlyList<StreamRef> Streams { get; } = streams;

        public override EventMetadata Metadata { get; } = Sample.Metadata;

        public override void Decide(Decision decision)
        {
            foreach (var stream in Streams)
                decision.Append(stream.Key, Sample.Event(decision.State<SampleState>(stream.Key).Messages + 1, 4711, decision.Now, ""));
        }
    }

    private static async Task TogetherAsync(BenchDatabase database, bool seal, TimeSpan time)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), [], keys: new() { SealEvents = seal });
        var command = new TogetherCommand(Sample.Streams(Together));
        await Measure.RunAsync(Name(seal), 1, time, database.Postmaster, async _ => await log.Executor.ExecuteAsync(command, default), perCall: Together);
    }

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
