using System.Diagnostics;
using System.Globalization;
using EventMail.EventStore.Proof;
using EventMail.Projections;

namespace EventMail.Bench;

/// <summary>`audit verify` of a log of message events: each hash, each predecessor, each stream's versions. `tree` measures the tree over them.</summary>
internal static class VerifyBench
{
    private const int DefaultEvents = 1_000_000;

    public static async Task RunAsync(BenchDatabase database, int? events, int reps)
    {
        var connectionString = await MessageLog.CreateAsync(database, events ?? DefaultEvents);
        await using var log = await MessageLog.OpenAsync(database, connectionString, []);
        for (var rep = 1; rep <= reps; rep++)
        {
            var (server, ours, clock) = (Measure.ServerTime(database.Postmaster), Environment.CpuUsage.TotalTime, Stopwatch.StartNew());
            var summary = await new ChainVerifier(log.DataSource, EventStreams.Kinds).VerifyAsync(
                new(), fault => throw new InvalidOperationException(fault.ToString()), _ => { }, default);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"run {rep}: {summary.Events:n0} events in {clock.Elapsed.TotalSeconds:n2} s: {summary.Events / clock.Elapsed.TotalSeconds:n0} a second; an event took "
                + $"{(Measure.ServerTime(database.Postmaster) - server).TotalMicroseconds / summary.Events:n2} µs of the server's CPU and "
                + $"{(Environment.CpuUsage.TotalTime - ours).TotalMicroseconds / summary.Events:n2} of ours"));
        }
    }
}
