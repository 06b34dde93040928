using System.Diagnostics;
using EventMail.EventStore.Proof;

namespace EventMail.Bench;

/// <summary>What the tree over the log costs: to append to it behind the commits, to prove an event, to verify it all.</summary>
internal static class TreeBench
{
    private const int Events = 300_000;
    private const int Proofs = 1000;

    // Rows as large as ours, with hashes that are hashes of something.
    private const string Fill = """
        insert into public.mt_streams (tenant_id, id, type, version) values ('t1', '00000000-0000-0000-0000-000000000001', 'sample', 0);
        insert into public.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, headers)
        select n, gen_random_uuid(), '00000000-0000-0000-0000-000000000001', n, jsonb_build_object('Text', repeat('x', 500)), 'sample', now(), 't1',
          jsonb_build_object('protocol', 'smtp', 'client_ip', '192.0.2.1', 'hash', rtrim(translate(encode(sha256(n::text::bytea), 'base64'), '+/', '-_'), '='))
        from generate_series(1, {0}) n;
        select setval('public.mt_events_sequence', {0});
        analyze public.mt_events
        """;

    public static async Task RunAsync(BenchDatabase database)
    {
        await using var log = await database.OpenLogAsync(await database.CreateAsync(), []);
        await using (var fill = log.DataSource.CreateCommand(string.Format(System.Globalization.CultureInfo.InvariantCulture, Fill, Events)))
        {
            fill.CommandTimeout = 0;
            await fill.ExecuteNonQueryAsync();
        }
        var tree = new LogTree(log);
        var cpu = Process.GetCurrentProcess();
        var (clock, before) = (Stopwatch.StartNew(), cpu.TotalProcessorTime);
        await tree.CatchUpAsync(default);
        cpu.Refresh();
        Console.WriteLine($"append: {Events} events in {clock.Elapsed.TotalSeconds:n1} s, {clock.Elapsed.TotalMicroseconds / Events:n1} µs an event, {(cpu.TotalProcessorTime - before).TotalMicroseconds / Events:n1} µs of our own CPU");

        var tip = await tree.TipAsync(default);
        clock.Restart();
        for (var i = 0; i < Proofs; i++)
        {
            var (index, leaf) = (await tree.FindAsync(tip, 1 + (long)i * Events / Proofs, default))!.Value;
            if (!TreeProofs.Includes(leaf.Hash, index, tip.Size, await tree.InclusionAsync(tip, index, tip.Size, default), tip.Root()))
                throw new InvalidOperationException("the tree proves nothing");
        }
        Console.WriteLine($"prove and check: {clock.Elapsed.TotalMilliseconds / Proofs:n2} ms an event");

        clock.Restart();
        var report = await new TreeVerification(log.DataSource).RunAsync([Checkpoint.Of("bench", tip.Size, tip.Root(), DateTimeOffset.UtcNow)], null, default);
        if (!report.Holds)
            throw new InvalidOperationException("the tree does not hold");
        Console.WriteLine($"verify: {Events / clock.Elapsed.TotalSeconds / 1000:n0} thousand events a second");
        await using var size = log.DataSource.CreateCommand(
            "select sum(pg_total_relation_size(name::regclass)) from unnest(array['eventmail.log_leaves', 'eventmail.log_tile', 'eventmail.log_tip']) name");
        Console.WriteLine($"tables: {(decimal)(await size.ExecuteScalarAsync())! / Events:n1} octets an event");
    }
}
