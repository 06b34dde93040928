using EventMail.EventStore.Proof;

namespace EventMail.EventStore.Tests.Proof;

/// <summary>The tree as it stands beside a log.</summary>
public class LogTreeTests
{
    private static async Task RaiseAsync(TestLog log, int times, StreamRef? counter = null)
    {
        var stream = counter ?? Counters.New();
        await Task.WhenAll(Enumerable.Range(0, times).Select(_ => log.ExecuteAsync(Counters.Raise(stream))));
    }

    // Leaves as anybody would make them of the rows.
    private static async Task<List<LogLeaf>> LeavesAsync(TestLog log)
    {
        await using var connection = await log.DataSource.OpenConnectionAsync();
        return [.. await LeafRows.ReadAsync(connection, null, 0, long.MaxValue, int.MaxValue, default)];
    }

    private static async Task ShouldBeTheLogAsync(TestLog log, LogTree tree)
    {
        var (tip, frontier) = (await tree.TipAsync(default), new Frontier());
        var leaves = await LeavesAsync(log);
        foreach (var leaf in leaves)
            frontier.Add(leaf.Hash);
        tip.Size.ShouldBe(leaves.Count);
        tip.Root().ShouldBe(frontier.Root());
        (await tree.RootAsync(tip, tip.Size, default)).ShouldBe(tip.Root());
    }

    [Fact]
    public async Task Every_event_becomes_a_leaf_and_every_leaf_can_be_proved()
    {
        await using var log = await TestLog.OpenAsync();
        var tree = new LogTree(log.Node);
        (await tree.TipAsync(default)).Size.ShouldBe(0);
        (await tree.AdvanceAsync(default)).ShouldBe(0);
        await RaiseAsync(log, 300);
        await tree.CatchUpAsync(default);
        await RaiseAsync(log, 700);
        await tree.CatchUpAsync(default);
        await ShouldBeTheLogAsync(log, tree);

        var tip = await tree.TipAsync(default);
        foreach (var expected in (await LeavesAsync(log)).Where(leaf => leaf.Position % 97 == 1))
        {
            var (index, leaf) = (await tree.FindAsync(tip, expected.Position, default))!.Value;
            leaf.ShouldBe(expected);
            TreeProofs.Includes(leaf.Hash, index, tip.Size, await tree.InclusionAsync(tip, index, tip.Size, default), tip.Root()).ShouldBeTrue();
        }
        foreach (var older in (long[])[0, 1, 255, 256, 257, 300, 512, 999, 1000])
            TreeProofs.IsBeginning(
                older, await tree.RootAsync(tip, older, default), tip.Size, tip.Root(), await tree.ConsistencyAsync(tip, older, tip.Size, default)).ShouldBeTrue();
        (await tree.FindAsync(tip, 0, default)).ShouldBeNull();
        (await tree.FindAsync(tip, 1_000_000, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Archived_events_and_those_of_other_applications_count()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await RaiseAsync(log, 3, counter);
        await log.RunAsync("update mt_events set is_archived = true where version = 2");
        await log.RunAsync("""
            insert into mt_streams (tenant_id, id, type, version) values ('*DEFAULT*', gen_random_uuid(), 'theirs', 1);
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, headers)
            select nextval('mt_events_sequence'), gen_random_uuid(), id, 1, '{"a": 1.50}', 'something_else', now(), tenant_id, 'null'
            from mt_streams where type = 'theirs'
            """);
        var tree = new LogTree(log.Node);
        await tree.CatchUpAsync(default);
        (await tree.TipAsync(default)).Size.ShouldBe(4);
        await ShouldBeTheLogAsync(log, tree);
    }

    [Fact]
    public async Task Several_nodes_append_to_one_tree()
    {
        await using var log = await TestLog.OpenAsync();
        var second = await log.AddNodeAsync();
        LogTree[] trees = [new(log.Node), new(second), new(log.Node)];
        var writing = RaiseAsync(log, 2000);
        while (!writing.IsCompleted)
            await Task.WhenAll(trees.Select(tree => tree.AdvanceAsync(default)));
        await Task.WhenAll(trees.Select(tree => tree.CatchUpAsync(default)));
        await ShouldBeTheLogAsync(log, trees[0]);
    }

    [Fact]
    public async Task A_transaction_that_may_still_commit_a_lower_position_is_waited_for()
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        await RaiseAsync(log, 2, counter);
        var tree = new LogTree(log.Node);
        await tree.CatchUpAsync(default);
        await using var connection = await log.DataSource.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using (var insert = new Npgsql.NpgsqlCommand("""
                insert into mt_streams (tenant_id, id, type, version) values ('*DEFAULT*', '00000000-0000-0000-0000-000000000001', 'theirs', 1);
                insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id)
                values (nextval('mt_events_sequence'), gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 1, '{}', 'theirs', now(), '*DEFAULT*')
                """, connection, transaction))
                await insert.ExecuteNonQueryAsync();
            await RaiseAsync(log, 3, counter);
            await tree.AdvanceAsync(default);
            (await tree.TipAsync(default)).Size.ShouldBe(2);
            await transaction.CommitAsync();
        }
        await tree.CatchUpAsync(default);
        (await tree.TipAsync(default)).Size.ShouldBe(6);
        await ShouldBeTheLogAsync(log, tree);
    }

    [Theory]
    [InlineData("delete from eventmail.log_leaves where number = 1")]
    [InlineData("update eventmail.log_leaves set leaves = substring(leaves from 2) where number = 1")]
    [InlineData("delete from eventmail.log_tip")]
    [InlineData("update eventmail.log_tip set size = size + 1")]
    public async Task Damaged_tiles_are_told_and_prove_nothing(string damage)
    {
        await using var log = await TestLog.OpenAsync();
        var tree = new LogTree(log.Node);
        await RaiseAsync(log, 600);
        await tree.CatchUpAsync(default);
        await log.RunAsync(damage);
        await Should.ThrowAsync<InvalidDataException>(async () => await tree.InclusionAsync(await tree.TipAsync(default), 300, 600, default));
    }

    [Fact]
    public async Task A_proof_that_would_prove_nothing_is_not_handed_out()
    {
        await using var log = await TestLog.OpenAsync();
        var tree = new LogTree(log.Node);
        await RaiseAsync(log, 600);
        await tree.CatchUpAsync(default);
        var tip = await tree.TipAsync(default);
        var (key, maker) = (NoteSigningKey.Generate("test"), new ProofMaker(log.Node, tree));
        SignedCheckpoint Sign(long size, TreeHash root) => SignedCheckpoint.Sign(Checkpoint.Of("test", size, root, DateTimeOffset.UnixEpoch), key);
        var (newer, older) = (Sign(tip.Size, tip.Root()), Sign(130, await tree.RootAsync(tip, 130, default)));
        (await maker.ProveAsync(newer, [5], default)).Faults(key.Public).ShouldBeEmpty();
        (await maker.ProveContinuationAsync(older, newer, default)).Faults(key.Public).ShouldBeEmpty();
        (await maker.ProveContinuationAsync(newer, newer, default)).Faults(key.Public).ShouldBeEmpty();
        await Should.ThrowAsync<InvalidDataException>(() => maker.ProveContinuationAsync(newer, older, default));
        // The roots still follow from the tiles above it.
        await log.RunAsync("update eventmail.log_leaves set leaves = overlay(leaves placing '\\x00000000'::bytea from 8 * 40) where number = 0");
        (await Should.ThrowAsync<InvalidDataException>(() => maker.ProveAsync(newer, [5], default))).Message.ShouldContain("the stored tree is damaged");
        await Should.ThrowAsync<InvalidDataException>(() => maker.ProveContinuationAsync(older, newer, default));
    }
}
