using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Deliveries;

/// <summary>Submissions that are claimed as they are committed.</summary>
public sealed class FirstClaimTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_submission_is_handed_over_claimed_and_nobody_is_woken_or_gets_it_from_the_queue()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        using var woken = new SemaphoreSlim(0);
        using var watching = test.Queue.OnWork(() => woken.Release());
        (await woken.WaitAsync(Waiting.Limit)).ShouldBeTrue("by the watch's own first look");
        var taken = new List<QueuedDelivery>();
        using var handing = test.Queue.HandTo(new(Lease, _ => true, taken.Add));
        var delivery = await test.SubmitAsync("a@b.example", "c@d.example", "e@b.example");
        taken.Select(row => (row.Stream, row.Domain, row.Attempt, row.Recipients.Length)).ShouldBe(
            [(delivery, "b.example", 1, 2), (delivery, "d.example", 1, 1)], ignoreOrder: true);
        (await test.RowsAsync($"owner = '{test.Mail.Log.Executor.Node}' and lease = wake and not ready")).ShouldBe(2);
        woken.CurrentCount.ShouldBe(0);
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        foreach (var row in taken)
        {
            (await test.Queue.BeginAsync(row, default)).Rejection.ShouldBeNull();
            await test.RecordAsync(row, OutcomeKind.Delivered, 250, "2.0.0", "Ok");
        }
        (await test.RowsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task What_a_crash_kept_from_being_handed_over_is_free_when_its_lease_is_over_and_was_not_begun()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        using var handing = test.Queue.HandTo(new(Lease, _ => true, _ => { }));
        var delivery = await test.SubmitAsync("a@b.example");
        test.Clock.Advance(Lease - TimeSpan.FromSeconds(5));
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        test.Clock.Advance(TimeSpan.FromSeconds(5));
        var row = (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem();
        (row.Stream, row.Attempt, row.Retries).ShouldBe((delivery, 1, 0));
        (await test.EventsAsync(delivery)).ShouldHaveSingleItem().ShouldBeOfType<MessageSubmitted>();
    }

    [Fact]
    public async Task What_was_handed_over_on_a_node_that_is_gone_is_free_before_its_lease_is_over()
    {
        await using var test = await DeliveryFixture.StartAsync(options => options with { DeadAfter = TimeSpan.FromMilliseconds(200) });
        StreamKey delivery;
        await using (var second = await SecondNode.StartAsync(test))
        {
            using var handing = second.Queue.HandTo(new(Lease, _ => true, _ => { }));
            var submitted = await second.Queue.SubmitAsync(
                test.Submission("a@b.example"), await test.ContentAsync(), [], QuotaRule.EveryoneFits, new(test.Sender.Address, "session", "{}"), "1", default);
            delivery = submitted.Value!.Delivery;
        }
        (await test.RowsAsync("owner is not null")).ShouldBe(1);
        using var woken = new SemaphoreSlim(0);
        using var watching = test.Queue.OnWork(() => woken.Release());
        var free = new List<QueuedDelivery>();
        for (var until = DateTime.UtcNow + Waiting.Limit; free.Count == 0 && DateTime.UtcNow < until;)
        {
            (await woken.WaitAsync(Waiting.Limit)).ShouldBeTrue();
            free.AddRange(await test.Queue.ClaimAsync(DeliveryFixture.All, default));
        }
        free.ShouldHaveSingleItem().Stream.ShouldBe(delivery);
    }

    [Fact]
    public async Task What_there_is_no_room_for_and_what_is_for_later_waits_in_the_queue()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var taken = new List<QueuedDelivery>();
        using (test.Queue.HandTo(new(Lease, domain => domain != "busy.example", taken.Add)))
        {
            await test.SubmitAsync("a@b.example", "c@busy.example");
            taken.ShouldHaveSingleItem().Domain.ShouldBe("b.example");
            await test.SubmitAsync(test.Submission("a@b.example") with { HoldUntil = test.Clock.GetUtcNow().AddHours(1) });
            taken.Count.ShouldBe(1);
        }
        await test.SubmitAsync("a@c.example");
        taken.Count.ShouldBe(1, "nobody takes them any more");
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).Select(row => row.Domain).ShouldBe(["busy.example", "c.example"], ignoreOrder: true);
    }

    [Fact]
    public async Task What_needs_no_attempt_is_settled_and_not_handed_over()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var taken = new List<QueuedDelivery>();
        using var handing = test.Queue.HandTo(new(Lease, _ => true, taken.Add));
        var late = await test.SubmitAsync(test.Submission("a@b.example") with { DeliverBy = new(test.Clock.GetUtcNow().AddSeconds(-1), "R", false) });
        taken.ShouldBeEmpty();
        (await test.StateAsync(late)).Recipients.ShouldBe([DeliveryStatus.Failed]);
        (await test.RowsAsync()).ShouldBe(0);
    }
}
