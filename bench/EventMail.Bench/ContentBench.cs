using System.Globalization;
using EventMail.EventStore;

namespace EventMail.Bench;

/// <summary>Where the line between rows and files is best drawn: contents of one size, as rows and as files.</summary>
internal static class ContentBench
{
    public static async Task RunAsync(BenchDatabase database, TimeSpan time)
    {
        foreach (var kib in new[] { 16, 64, 128, 256, 512, 1024 })
        {
            Measure.Header(string.Create(CultureInfo.InvariantCulture, $"contents of {kib} KiB, 10 writers / 4 readers"));
            await RunAsync(database, kib * 1024, "rows", int.MaxValue, time);
            await RunAsync(database, kib * 1024, "files", 0, time);
        }
    }

    private static async Task RunAsync(BenchDatabase database, int size, string name, int threshold, TimeSpan time)
    {
        await using var log = await database.OpenLogAsync(
            await database.CreateAsync(), [], new() { FileThreshold = threshold, RecentBytes = 0 });
        var streams = Sample.Streams(10);
        var bodies = new Bodies([size]);
        var numbers = new List<long>();
        await Measure.RunAsync($"write as {name}", streams.Length, time, database.Postmaster, async i =>
        {
            var content = await log.Contents.StageAsync(bodies.Next().Body);
            await log.Executor.ExecuteAsync(new SampleCommand(streams[i], content), default);
            lock (numbers)
                numbers.Add(content.Number);
        });
        await Measure.RunAsync($"read as {name}", 4, time, database.Postmaster, async i =>
        {
            await using var content = await log.Contents.ReadAsync(numbers[Random.Shared.Next(numbers.Count)]);
            await using var stream = content.OpenRead();
            await stream.CopyToAsync(Stream.Null);
        });
    }
}
