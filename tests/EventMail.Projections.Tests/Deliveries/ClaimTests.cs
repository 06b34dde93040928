using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Deliveries;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Deliveries;

/// <summary>Who gets what of the queue, and what becomes of it when whoever has it is gone.</summary>
public sealed class ClaimTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Many_claimers_on_two_nodes_share_the_queue_and_nobody_gets_a_row_twice_within_a_lease()
    {
        const int Messages = 120;
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        await Task.WhenAll(Enumerable.Range(0, Messages).Select(i => test.SubmitAsync($"a@d{i % 7}.example", $"b@e{i % 5}.example")));
        var claims = await Task.WhenAll(Enumerable.Range(0, 8).Select(claimer => Task.Run(async () =>
        {
            var queue = claimer % 2 == 0 ? test.Queue : second.Queue;
            var mine = new List<QueuedDelivery>();
            while (await queue.ClaimAsync(new(1 + claimer, Lease, []), default) is { Count: > 0 } rows)
                mine.AddRange(rows);
            return mine;
        })));
        var all = claims.SelectMany(mine => mine).Select(row => (row.Stream, row.Domain)).ToList();
        all.Count.ShouldBe(2 * Messages);
        all.Distinct().Count().ShouldBe(2 * Messages);
    }

    [Fact]
    public async Task The_most_urgent_come_first_then_the_oldest_and_busy_domains_are_passed_over()
    {
        await using var test = await DeliveryFixture.StartAsync();
        foreach (var (address, priority) in new[] { ("a@low.example", -9), ("a@first.example", 0), ("a@busy.example", 9), ("a@second.example", 0), ("a@urgent.example", 6) })
            await test.SubmitAsync(test.Submission(address) with { Priority = priority });
        foreach (var expected in new[] { "urgent.example", "first.example", "second.example", "low.example" })
            (await test.Queue.ClaimAsync(new(1, Lease, ["busy.example"]), default)).ShouldHaveSingleItem().Domain.ShouldBe(expected);
        (await test.Queue.ClaimAsync(new(10, Lease, ["busy.example"]), default)).ShouldBeEmpty();
        (await test.Queue.ClaimAsync(new(10, Lease, [], "low.example"), default)).ShouldBeEmpty();
        (await test.Queue.ClaimAsync(new(10, Lease, [], "busy.example"), default)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Behind_a_busy_domain_with_more_rows_than_a_claim_looks_at_the_others_take_turns()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await FillAsync(test, "busy.example", 1500);
        foreach (var address in new[] { "a@a.example", "b@c.example", "c@d.example" })
            await test.SubmitAsync(address);
        await test.SubmitAsync(test.Submission("d@e.example") with { Priority = 3 });
        var domains = new List<string>();
        while (await test.Queue.ClaimAsync(new(1, Lease, ["busy.example"]), default) is [var row])
            domains.Add(row.Domain);
        domains[0].ShouldBe("e.example", "the most urgent comes first");
        domains.ShouldBe(["e.example", "a.example", "c.example", "d.example"]);
        (await test.RowsAsync("owner is not null")).ShouldBe(4, "nothing of the busy one is touched");
    }

    [Fact]
    public async Task Nobody_waits_behind_more_rows_than_are_made_ready_at_once()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("a@late.example");
        await test.AttemptAsync(OutcomeKind.Deferred);
        await FillAsync(test, "busy.example", 2500, ready: false);
        test.Clock.Advance(TimeSpan.FromMinutes(6));
        var wakes = 0;
        using var subscription = test.Queue.OnWork(() => Interlocked.Increment(ref wakes));
        var claimed = new List<QueuedDelivery>();
        for (var claim = 0; claim < 3; claim++)
        {
            var before = Volatile.Read(ref wakes);
            claimed.AddRange(await test.Queue.ClaimAsync(new(10, Lease, ["busy.example"]), default));
            // Whoever delivers is told that there is more.
            await Waiting.UntilAsync(() => claimed.Count > 0 || Volatile.Read(ref wakes) > before);
        }
        claimed.ShouldHaveSingleItem().Domain.ShouldBe("late.example");
    }

    [Fact]
    public async Task A_claim_that_was_planned_while_the_queue_was_empty_does_not_read_all_of_it_for_each_row()
    {
        const string Claim = "select count(*) from projections.claim_deliveries(now(), now() + interval '2 minutes', gen_random_uuid(), '{}', 100, null, '')";
        const string Ready = "select projections.ready_deliveries(now(), 1000)::bigint";
        await using var test = await DeliveryFixture.StartAsync();
        await using var connection = await test.Mail.Log.DataSource.OpenConnectionAsync();
        await AskAsync("analyze projections.delivery_queue");
        (await AskAsync(Ready) + await AskAsync(Claim)).ShouldBe(0);
        await FillAsync(test, "one.example", 3000, ready: false);
        await using var transaction = await connection.BeginTransactionAsync();
        (await AskAsync(Ready)).ShouldBe(1000);
        (await AskAsync(Claim)).ShouldBe(100);
        (await AskAsync("select idx_tup_fetch + seq_tup_read from pg_stat_xact_user_tables where relid = 'projections.delivery_queue'::regclass"))
            .ShouldBeLessThan(5000, "two or three for each row");

        async Task<long> AskAsync(string sql)
        {
            await using var command = new Npgsql.NpgsqlCommand(sql, connection);
            return await command.ExecuteScalarAsync() as long? ?? 0;
        }
    }

    [Fact]
    public async Task What_waits_ends_its_wait_by_its_urgency_and_not_before_its_time()
    {
        await using var test = await DeliveryFixture.StartAsync();
        foreach (var (address, priority) in new[] { ("a@b.example", 0), ("a@c.example", 4) })
        {
            await test.SubmitAsync(test.Submission(address) with { Priority = priority });
            await test.AttemptAsync(OutcomeKind.Deferred);
        }
        (await test.RowsAsync("ready")).ShouldBe(0);
        test.Clock.Advance(TimeSpan.FromMinutes(6));
        (await test.Queue.ClaimAsync(new(1, Lease, []), default)).ShouldHaveSingleItem().Domain.ShouldBe("c.example");
        (await test.RowsAsync("ready")).ShouldBe(1);
        // A clock that was wrong and is put right: what was seen to be due is not any more.
        test.Clock.Advance(-TimeSpan.FromMinutes(6));
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        test.Clock.Advance(TimeSpan.FromMinutes(6));
        (await test.ClaimOneAsync()).Domain.ShouldBe("b.example");
    }

    [Fact]
    public async Task A_claim_that_was_not_begun_is_free_when_its_lease_is_over_and_whoever_is_late_may_not_begin()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        await test.SubmitAsync("a@b.example");
        var late = await test.ClaimOneAsync();
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        test.Clock.Advance(Lease);
        var other = (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem();
        (await test.Queue.RenewAsync(late, Lease, default)).ShouldBeFalse();
        (await second.Queue.BeginAsync(other, default)).Rejection.ShouldBeNull();
        (await test.Queue.BeginAsync(late, default)).Rejection.ShouldBe(DeliveryRejections.Overtaken);
        (await second.Queue.RenewAsync(other, Lease, default)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_lease_that_is_renewed_goes_on()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("a@b.example");
        var row = await test.BeginOneAsync();
        test.Clock.Advance(Lease / 2);
        (await test.Queue.RenewAsync(row, Lease, default)).ShouldBeTrue();
        test.Clock.Advance(Lease * 0.7);
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        await test.RecordAsync(row, OutcomeKind.Delivered, 250, "2.0.0", "Ok");
        (await test.RowsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task An_attempt_without_an_outcome_is_unknown_when_its_lease_is_over_and_is_tried_again_soon()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        var delivery = await test.SubmitAsync("a@b.example");
        await test.BeginOneAsync();
        test.Clock.Advance(Lease);
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        var unknown = (await test.EventsAsync(delivery))[^1].ShouldBeOfType<DeliveryOutcomeUnknown>();
        (unknown.Attempt, unknown.Node, unknown.Retries).ShouldBe((1, "node-a", 0));
        test.Clock.Advance(TimeSpan.FromMinutes(1));
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem().Attempt.ShouldBe(2);
    }

    [Fact]
    public async Task An_attempt_of_this_very_process_is_not_given_up_while_it_is_at_it()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("a@b.example");
        var row = await test.BeginOneAsync();
        test.Clock.Advance(2 * Lease); // the database was away, nothing could be renewed
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.EventsAsync(delivery))[^1].ShouldBeOfType<DeliveryBegun>();
        (await test.Queue.RenewAsync(row, Lease, default)).ShouldBeTrue();
        test.Queue.Ended(row);
        test.Clock.Advance(2 * Lease);
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.EventsAsync(delivery))[^1].ShouldBeOfType<DeliveryOutcomeUnknown>();
    }

    [Fact]
    public async Task A_message_that_this_version_cannot_read_holds_up_no_other()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var newer = await test.SubmitAsync("a@b.example");
        await test.SubmitAsync("a@c.example");
        await using (var change = test.Mail.Log.DataSource.CreateCommand($"update public.mt_events set type = 'from_the_future' where stream_id = '{newer.Id}'"))
            (await change.ExecuteNonQueryAsync()).ShouldBe(1);
        await using var second = await SecondNode.StartAsync(test);
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem().Domain.ShouldBe("c.example");
    }

    [Fact]
    public async Task An_outcome_that_comes_late_counts_for_those_who_have_it_and_for_nobody_else()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        var delivery = await test.SubmitAsync("a@b.example", "b@b.example", "c@b.example");
        var late = await test.BeginOneAsync();
        test.Clock.Advance(Lease);
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        test.Clock.Advance(TimeSpan.FromMinutes(1));
        var again = (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem();
        (await second.Queue.BeginAsync(again, default)).Rejection.ShouldBeNull();
        await test.Queue.RecordAsync(late, new([], [
            new(0, OutcomeKind.Delivered, 250, "2.0.0", "Ok", "mx"), new(1, OutcomeKind.Failed, 550, "5.1.1", "No", "mx"),
            new(2, OutcomeKind.Deferred, 450, "4.2.0", "Later", "mx")]), default);
        (await test.StateAsync(delivery)).Recipients.ShouldBe([DeliveryStatus.Delivered, DeliveryStatus.Queued, DeliveryStatus.Queued]);
        await second.Queue.RecordAsync(again, DeliveryFixture.Report(again, OutcomeKind.Delivered, 250, "2.0.0", "Ok"), default);
        var state = await test.StateAsync(delivery);
        state.IsOver.ShouldBeTrue();
        (await test.EventsAsync(delivery)).OfType<RecipientDelivered>().SelectMany(e => e.Recipients).ShouldBe([0, 1, 2]);
        (await test.RowsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task What_a_node_that_is_gone_had_claimed_is_free_before_its_lease_is_over()
    {
        await using var test = await DeliveryFixture.StartAsync(options => options with { DeadAfter = TimeSpan.FromMilliseconds(200) });
        var begun = await test.SubmitAsync("a@b.example");
        var claimed = await test.SubmitAsync("a@c.example");
        await using (var second = await SecondNode.StartAsync(test))
        {
            var rows = await second.Queue.ClaimAsync(DeliveryFixture.All, default);
            (await second.Queue.BeginAsync(rows.Single(row => row.Stream == begun), default)).Rejection.ShouldBeNull();
        }
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        using var woken = new SemaphoreSlim(0);
        using var watching = test.Queue.OnWork(() => woken.Release());
        var free = new List<QueuedDelivery>();
        for (var until = DateTime.UtcNow + Waiting.Limit; free.Count == 0 && DateTime.UtcNow < until;)
        {
            (await woken.WaitAsync(Waiting.Limit)).ShouldBeTrue();
            free.AddRange(await test.Queue.ClaimAsync(DeliveryFixture.All, default));
        }
        free.ShouldHaveSingleItem().Stream.ShouldBe(claimed);
        (await test.EventsAsync(begun))[^1].ShouldBeOfType<DeliveryOutcomeUnknown>().Node.ShouldBe("node-b");
    }

    [Fact]
    public async Task What_is_held_while_the_host_that_tries_it_dies_is_unknown_and_can_be_cancelled()
    {
        await using var test = await DeliveryFixture.StartAsync(options => options with { DeadAfter = TimeSpan.FromMilliseconds(200) });
        var delivery = await test.SubmitAsync("a@b.example");
        await using (var second = await SecondNode.StartAsync(test))
        {
            var row = (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem();
            (await second.Queue.BeginAsync(row, default)).Rejection.ShouldBeNull();
            (await test.Queue.Operations.HoldAsync(delivery, null, Actor.System, default)).Rejection.ShouldBeNull();
            (await test.Queue.Operations.CancelAsync(delivery, null, null, Actor.System, default)).Rejection.ShouldBe(DeliveryRejections.UnderWay);
        }

        using var watching = test.Queue.OnWork(() => { });
        object[] events = [];
        await Waiting.UntilAsync(
            async () => (events = [.. await test.EventsAsync(delivery)])[^1] is DeliveryOutcomeUnknown, () => string.Join(", ", events.Select(e => e.GetType().Name)));
        (await test.Queue.Operations.CancelAsync(delivery, null, null, Actor.System, default)).Rejection.ShouldBeNull();
        (await test.EventsAsync(delivery)).TakeLast(2).Select(e => e.GetType().Name).ShouldBe([nameof(DeliveryOutcomeUnknown), nameof(DeliveryCancelled)]);
    }

    [Fact]
    public async Task A_node_hears_of_what_another_one_takes_in()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        using var woken = new SemaphoreSlim(0);
        using var subscription = second.Queue.OnWork(() => woken.Release());
        while (await woken.WaitAsync(TimeSpan.FromMilliseconds(300)))
        {
        }
        await test.SubmitAsync("a@b.example");
        (await woken.WaitAsync(Waiting.Limit)).ShouldBeTrue();
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Two_nodes_that_take_turns_count_the_attempts_as_one()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        var delivery = await test.SubmitAsync("a@b.example");
        for (var attempt = 1; attempt <= 6; attempt++)
        {
            var queue = attempt % 2 == 0 ? second.Queue : test.Queue;
            var row = (await queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem();
            (row.Attempt, row.Retries).ShouldBe((attempt, attempt - 1));
            (await queue.BeginAsync(row, default)).Rejection.ShouldBeNull();
            await queue.RecordAsync(row, DeliveryFixture.Report(row, OutcomeKind.Deferred, 451, "4.3.0", "later"), default);
            test.Clock.Advance(TimeSpan.FromHours(5));
        }
        (await test.StateAsync(delivery)).Find("b.example")!.Retries.ShouldBe(6);
    }

    [Fact]
    public async Task The_states_of_messages_that_are_over_are_not_kept()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var deliveries = new List<StreamKey>();
        for (var i = 0; i < 20; i++)
        {
            deliveries.Add(await test.SubmitAsync("a@b.example"));
            await test.AttemptAsync(OutcomeKind.Delivered, 250, "2.0.0", "Ok");
        }
        foreach (var delivery in deliveries)
            test.Mail.Log.Executor.TryGetState(delivery, out _).ShouldBeFalse();
    }

    // Rows that have long been due; no stream stands behind them.
    private static async Task FillAsync(DeliveryFixture test, string domain, int rows, bool ready = true)
    {
        await using var command = test.Mail.Log.DataSource.CreateCommand("""
            insert into projections.delivery_queue (
              tenant_id, id, domain, due, held, priority, attempts, recipients, sender, size, submitted, ready)
            select 'a', gen_random_uuid(), $1, now() - interval '1 hour', false, 0, 0, 1, 'a@example.test', 1, now(), $3 from generate_series(1, $2)
            """);
        command.Parameters.Add(new() { Value = domain });
        command.Parameters.Add(new() { Value = rows });
        command.Parameters.Add(new() { Value = ready });
        await command.ExecuteNonQueryAsync();
    }
}
