namespace EventMail.Bench;

/// <summary>Events per second, one event per command, against plain prepared statements that write the same rows.</summary>
internal static class AppendBench
{
    public static async Task RunAsync(BenchDatabase database, TimeSpan time)
    {
        Measure.Header("append: one event of 600 bytes per command, metadata columns on, fsync on");
        foreach (var writers in new[] { 1, 8, 32 })
        {
            await RawAsync(database, writers, time);
            await ExecutorAsync(database, writers, time);
        }
        await ExecutorAsync(database, 256, time);
    }

    private static async Task ExecutorAsync(BenchDatabase database, int writers, TimeSpan time)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), []);
        var streams = Sample.Streams(writers);
        await Measure.RunAsync($"executor, {writers} writers", writers, time, database.Postmaster, async i =>
            await log.Executor.ExecuteAsync(new SampleCommand(streams[i]), default), row: ("ours", $"log: append, {writers} writers"));
        await using var batches = log.DataSource.CreateCommand("select count(*)::numeric / count(distinct timestamp) from mt_events");
        Console.WriteLine($"{"",-44} {await batches.ExecuteScalarAsync(),9:n1} events per commit");
    }

    private static async Task RawAsync(BenchDatabase database, int writers, TimeSpan time)
    {
        var connectionString = await database.CreateAsync();
        await (await database.OpenLogAsync(connectionString, [])).DisposeAsync();
        var raw = new List<RawAppend>();
        foreach (var stream in Sample.Streams(writers))
            raw.Add(await RawAppend.OpenAsync(connectionString, stream.Key.Tenant, stream.Key.Id));
        await Measure.RunAsync($"prepared statements, {writers} connections", writers, time, database.Postmaster, i => raw[i].AppendAsync(),
            row: ("raw", $"log: append, {writers} writers"));
        foreach (var connection in raw)
            await connection.DisposeAsync();
    }
}
