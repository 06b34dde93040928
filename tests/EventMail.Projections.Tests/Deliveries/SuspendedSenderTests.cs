using EventMail.Domain.Deliveries;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Deliveries;

/// <summary>What an account has on its way when it is suspended, perhaps because somebody else knows its password.</summary>
public sealed class SuspendedSenderTests
{
    [Fact]
    public async Task Nothing_of_a_suspended_account_goes_out_the_queue_says_why_and_resuming_lets_it_go()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("a@b.example");
        await test.SubmitAsync(test.Submission("a@later.example") with { HoldUntil = test.Clock.GetUtcNow().AddDays(1) });
        var other = await test.Mail.NewAccountAsync();
        await test.SubmitAsync(test.Submission("a@other.example") with { Account = other.Account });
        await SuspendAsync(test);

        (await test.ClaimOneAsync()).Domain.ShouldBe("other.example");
        test.Clock.Advance(TimeSpan.FromDays(2));
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem().Domain.ShouldBe("other.example");
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.RowsAsync("lease = 'infinity' and owner is null")).ShouldBe(2, "they are not looked at again and again");
        var listed = await ListAsync(test);
        listed.Select(row => (row.Domain, row.Suspended)).ShouldBe(
            [("b.example", true), ("later.example", true), ("other.example", false)], ignoreOrder: true);
        (await test.Queue.Operations.ShowAsync(delivery.Id, default))!.Suspended.ShouldBeTrue();
        (await test.Queue.Operations.RetryAsync(delivery, null, Actor.System, default)).Rejection.ShouldBe(DeliveryRejections.Suspended);

        (await test.Mail.Accounts.ResumeAsync(test.Sender.Address, Actor.System, default)).Rejection.ShouldBeNull();
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).Select(row => row.Domain).ShouldBe(["b.example", "later.example"], ignoreOrder: true);
        (await test.Queue.Operations.ShowAsync(delivery.Id, default))!.Suspended.ShouldBeFalse();
        await test.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task Whoever_delivers_is_woken_when_an_account_is_resumed()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("a@b.example");
        await SuspendAsync(test);
        using var woken = new SemaphoreSlim(0);
        using var subscription = test.Queue.OnWork(() => woken.Release());
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        // The first look at the queue wakes as well.
        while (await woken.WaitAsync(TimeSpan.FromMilliseconds(300)))
        {
        }

        await test.Mail.Accounts.ResumeAsync(test.Sender.Address, Actor.System, default);
        (await woken.WaitAsync(Waiting.Limit)).ShouldBeTrue();
    }

    [Fact]
    public async Task What_was_claimed_before_is_not_begun_and_what_was_begun_ends_and_waits()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("a@b.example");
        await test.SubmitAsync("a@c.example");
        var rows = await test.Queue.ClaimAsync(DeliveryFixture.All, default);
        (await test.Queue.BeginAsync(rows[0], default)).Rejection.ShouldBeNull();
        await SuspendAsync(test);
        (await test.Queue.BeginAsync(rows[1], default)).Rejection.ShouldBe(DeliveryRejections.Suspended);
        await test.RecordAsync(rows[0], OutcomeKind.Deferred);
        test.Queue.Ended(rows[0]);
        test.Clock.Advance(TimeSpan.FromMinutes(6));
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.RowsAsync("lease = 'infinity'")).ShouldBe(2);
        await test.Mail.Accounts.ResumeAsync(test.Sender.Address, Actor.System, default);
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_suspended_account_submits_nothing_whoever_was_faster()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await SuspendAsync(test);
        var submitted = await test.Queue.SubmitAsync(
            test.Submission("a@b.example"), await test.ContentAsync(), [], QuotaRule.EveryoneFits, Actor.System, null, default);
        submitted.Rejection.ShouldBe(DeliveryRejections.Suspended);
        (await test.RowsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Closing_a_suspended_account_takes_what_it_has_waiting_out_of_the_queue()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("a@b.example", "b@c.example");
        await SuspendAsync(test);
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.Mail.Accounts.CloseAsync(test.Sender.Address, Actor.System, default)).Rejection.ShouldBeNull();
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.StateAsync(delivery)).Recipients.ShouldBe([DeliveryStatus.Cancelled, DeliveryStatus.Cancelled]);
        (await test.EventsAsync(delivery)).OfType<DeliveryCancelled>().ShouldAllBe(cancelled => cancelled.Reason!.Contains("suspended"));
        (await test.RowsAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task What_was_accepted_of_an_account_that_is_closed_is_delivered_all_the_same()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("a@b.example");
        (await test.Mail.Accounts.CloseAsync(test.Sender.Address, Actor.System, default)).Rejection.ShouldBeNull();
        await test.AttemptAsync(OutcomeKind.Delivered, 250, "2.0.0", "Ok");
        (await test.RowsAsync()).ShouldBe(0);
    }

    private static async Task SuspendAsync(DeliveryFixture test) =>
        (await test.Mail.Accounts.SuspendAsync(test.Sender.Address, "stolen password", Actor.System, default)).Rejection.ShouldBeNull();

    private static async Task<List<QueueEntry>> ListAsync(DeliveryFixture test)
    {
        var rows = new List<QueueEntry>();
        await foreach (var row in test.Queue.Operations.Queries.ListAsync(new(), null, default))
            rows.Add(row);
        return rows;
    }
}
