using EventMail.EventStore.Proof;

namespace EventMail.EventStore.Tests.Proof;

/// <summary>A log of 66,000 events: a tree with full tiles on two levels.</summary>
public sealed class TreeVerificationTests : IAsyncLifetime
{
    private const int Events = 66_000;

    private TestLog _log = null!;
    private Checkpoint _checkpoint = null!;

    public async Task InitializeAsync()
    {
        _log = await TestLog.OpenAsync();
        await _log.RunAsync("insert into mt_streams (tenant_id, id, type, version) values ('t1', '00000000-0000-0000-0000-000000000001', 'theirs', 0)");
        // Every second position is free.
        await _log.RunAsync($"""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, headers)
            select 2 * n, gen_random_uuid(), '00000000-0000-0000-0000-000000000001', n, jsonb_build_object(), 'theirs', now(), 't1',
              jsonb_build_object('hash', rtrim(translate(encode(sha256(n::text::bytea), 'base64'), '+/', '-_'), '='))
            from generate_series(1, {Events}) n
            """);
        await _log.RunAsync($"select setval('mt_events_sequence', {2 * Events})");
        var tree = new LogTree(_log.Node);
        await tree.CatchUpAsync(default);
        var tip = await tree.TipAsync(default);
        _checkpoint = Checkpoint.Of("test", tip.Size, tip.Root(), DateTimeOffset.UnixEpoch);
    }

    public async Task DisposeAsync() => await _log.DisposeAsync();

    private async Task<TreeReport> VerifyAsync(params Checkpoint[] more) => await new TreeVerification(_log.Node.DataSource).RunAsync([_checkpoint, .. more], null, default);

    [Fact]
    public async Task What_was_altered_is_named_and_the_tree_is_held_against_itself()
    {
        var tree = new LogTree(_log.Node);
        var tip = await tree.TipAsync(default);
        var half = Checkpoint.Of("test", Events / 2, await tree.RootAsync(tip, Events / 2, default), DateTimeOffset.UnixEpoch);
        var report = await VerifyAsync(half);
        report.Holds.ShouldBeTrue();
        (report.Events, report.Root).ShouldBe((Events, _checkpoint.Root));
        (await tree.FindAsync(tip, 2 * 40_000, default))!.Value.Index.ShouldBe(39_999);

        // Behind the smaller checkpoint, which still holds.
        await _log.RunAsync("delete from mt_events where seq_id = 100000");
        await _log.RunAsync("update mt_events set seq_id = 100003 where seq_id = 100004");
        await _log.RunAsync("""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
            values (100007, gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 1000000, '{}', 'theirs', now(), 't1')
            """);
        await _log.RunAsync("update mt_events set headers = '{}' where seq_id = 100010");
        report = await VerifyAsync(half);
        report.Checkpoints.Select(c => c.Verdict).ShouldBe([CheckpointVerdict.Differs, CheckpointVerdict.Holds]);
        report.Checkpoints.ShouldAllBe(c => c.TreeHolds);
        report.Leaves.ShouldBe(
        [
            new(LeafFault.Removed, 100_000), new(LeafFault.Moved, 100_004, 100_003), new(LeafFault.Inserted, 100_007), new(LeafFault.Changed, 100_010),
        ]);
        report.Damages.ShouldBeEmpty();
        (await new TreeVerification(_log.Node.DataSource).NamesAsync([100_007], default))[100_007].ShouldStartWith("theirs, version 1000000 of t1/00000000-0000-0000-0000-000000000001, ");

        await _log.RunAsync("update eventmail.log_tile set hashes = overlay(hashes placing '\\x00000000'::bytea from 33) where level = 1 and number = 0");
        await _log.RunAsync("delete from eventmail.log_leaves where number = 200");
        report = await VerifyAsync();
        report.Damages.ShouldContain("tile 0 of level 1 of the stored tree does not follow from its leaves");
        report.Damages.ShouldContain("tiles 200 to 200 of the stored leaves are missing");
        report.Checkpoints.ShouldAllBe(c => !c.TreeHolds);
    }
}
