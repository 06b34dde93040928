using System.Diagnostics;
using System.Globalization;
using EventMail.EventStore;
using EventMail.EventStore.Proof;

namespace EventMail.Bench;

/// <summary>What the hashes of events cost when they are written, and how fast a log is verified.</summary>
internal static class ChainBench
{
    private const int Streams = 100;
    private const int EventsPerCommand = 500;

    public static async Task RunAsync(BenchDatabase database, TimeSpan time)
    {
        Measure.Header("chain: the hash of one event as the committer computes it, one thread");
        Hash(time);
        Measure.Header($"chain: audit verify of events of 600 bytes in {Streams} streams, warm");
        await VerifyAsync(database, time);
    }

    private static void Hash(TimeSpan time)
    {
        var type = Sample.Types().Current.First();
        var facts = new EventFacts(
            "tenant", Guid.CreateVersion7(), 7, Guid.CreateVersion7(), type.Alias, type.DotnetType, DateTimeOffset.UtcNow, "alice@example.org", "session", "tag",
            """{"client_ip":"127.0.0.1","client_port":"40000","connection_id":"c1","node":"n1","protocol":"smtp"}"""u8.ToArray(),
            type.Write(Sample.Event(1, 0, DateTimeOffset.UtcNow)), new byte[EventHash.Size]);
        for (var i = 0; i < 20_000; i++)
            EventHash.Of(facts); // until it is compiled for good
        var (count, before, cpu, start) = (0L, GC.GetAllocatedBytesForCurrentThread(), Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        for (; Stopwatch.GetElapsedTime(start) < time; count++)
            EventHash.Of(facts);
        cpu = Environment.CpuUsage.TotalTime - cpu;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var line = new System.Buffers.ArrayBufferWriter<byte>();
        EventHash.WriteLine(facts, line);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{cpu.TotalMicroseconds / count:n2} µs of CPU and {allocated / count} octets of memory an event, whose line has {line.WrittenCount}"));
    }

    private static async Task VerifyAsync(BenchDatabase database, TimeSpan time)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), []);
        var streams = Sample.Streams(Streams);
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < 2 * time)
            await Task.WhenAll(streams.Select(stream => log.Executor.ExecuteAsync(new ManyEvents(stream), default)));
        await using (var analyze = log.DataSource.CreateCommand("vacuum analyze public.mt_events"))
            await analyze.ExecuteNonQueryAsync();
        var kinds = log.Types.Aliases.ToDictionary(alias => alias, _ => Sample.Kind.Name);
        for (var run = 1; run <= 3; run++)
        {
            var cpu = Environment.CpuUsage.TotalTime;
            start = Stopwatch.GetTimestamp();
            var summary = await new ChainVerifier(log.DataSource, kinds).VerifyAsync(
                new(), fault => throw new InvalidOperationException(fault.ToString()), _ => { }, default);
            var elapsed = Stopwatch.GetElapsedTime(start);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"run {run}: {summary.Events:n0} events in {elapsed.TotalSeconds:n2} s: {summary.Events / elapsed.TotalSeconds:n0} a second, "
                + $"{(Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / summary.Events:n2} µs of our CPU an event"));
        }
    }

    private sealed class ManyEvents(StreamRef stream) : Command
    {
        public override IReadOnlyList<StreamRef> Streams => [stream];

        public override EventMetadata Metadata { get; } = Sample.Metadata;

        public override void Decide(Decision decision)
        {
            for (var i = 0; i < EventsPerCommand; i++)
                decision.Append(stream.Key, Sample.Event(i, 0, decision.Now));
        }
    }
}
