using EventMail.Domain.Deliveries;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;
using EventMail.Testing;

namespace EventMail.Projections.Tests.Deliveries;

public sealed class DeliveryServiceTests
{
    private static readonly string[] Attempt = ["MessageSubmitted", "DeliveryBegun", "DeliveryAttempted"];

    [Fact]
    public async Task A_message_is_submitted_claimed_begun_and_delivered_and_leaves_the_queue_and_the_memory()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("bob@b.example");
        var row = await test.BeginOneAsync();
        (row.Stream, row.Domain, row.Attempt).ShouldBe((delivery, "b.example", 1));
        row.Recipients.ShouldBe([0]);
        var recorded = await test.RecordAsync(row, OutcomeKind.Delivered, 250, "2.0.0", "Ok");
        recorded.Next.ShouldBeNull();
        (await test.EventsAsync(delivery)).Select(e => e.GetType().Name).ShouldBe([.. Attempt, "RecipientDelivered"]);
        (await test.RowsAsync()).ShouldBe(0);
        test.Mail.Log.Executor.TryGetState(delivery, out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Recipients_are_one_row_a_domain_and_each_row_has_its_own_attempts()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("a@b.example", "b@c.example", "c@b.example");
        var rows = await test.Queue.ClaimAsync(DeliveryFixture.All, default);
        rows.Select(r => (r.Domain, string.Join(',', r.Recipients))).ShouldBe([("b.example", "0,2"), ("c.example", "1")], ignoreOrder: true);
        foreach (var row in rows)
            (await test.Queue.BeginAsync(row, default)).Rejection.ShouldBeNull();
        var b = rows.Single(r => r.Domain == "b.example");
        await test.Queue.RecordAsync(b, new([], [
            new(0, OutcomeKind.Delivered, 250, "2.0.0", "Ok", "mx"), new(2, OutcomeKind.Deferred, 452, "4.5.3", "too many", "mx")]), default);
        var state = await test.StateAsync(delivery);
        state.Recipients.ShouldBe([DeliveryStatus.Delivered, DeliveryStatus.Queued, DeliveryStatus.Queued]);
        state.Find("b.example")!.Recipients.ShouldBe([2]);
        state.Find("c.example")!.UnderWay.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_failure_is_written_and_its_sender_told_in_one_message_in_one_transaction()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("bob@b.example", "ann@b.example");
        await test.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", "No such user");
        var events = await test.EventsAsync(delivery);
        var bounce = events[^1].ShouldBeOfType<BounceIssued>();
        bounce.Action.ShouldBe("failed");
        bounce.Recipients.ShouldBe([0, 1]);
        bounce.Uid.ShouldBe(1u);
        var notification = (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem();
        notification.ShouldContain("multipart/report");
        notification.ShouldContain("smtp; 550 5.1.1 No such user");
        notification.ShouldContain("Subject: Hello");
        notification.ShouldContain(bounce.MessageId!);
        (await test.RowsAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("sales@elsewhere.example")]
    [InlineData("gone@example.test")]
    [InlineData("\"of nobody\"@example.test")]
    public async Task Who_submitted_a_message_is_told_where_its_sender_is_nobody_here(string sender)
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync(test.Submission("bob@b.example") with { Sender = sender });
        await test.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", "No such user");
        (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem().ShouldContain($"To: <{sender}>");
    }

    [Fact]
    public async Task Nobody_is_told_of_a_message_from_the_null_sender_and_the_log_says_so()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync(test.Submission("bob@b.example") with { Sender = "", Skip = 0 });
        await test.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", "No such user");
        (await test.EventsAsync(delivery))[^1].ShouldBeOfType<BounceIssued>().Mailbox.ShouldBeNull();
        (await test.InboxAsync(test.Sender)).ShouldBeEmpty();
    }

    [Fact]
    public async Task NOTIFY_NEVER_is_kept()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync(Notify(test.Submission("bob@b.example"), NotifyOn.None));
        await test.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", "No such user");
        (await test.EventsAsync(delivery))[^1].ShouldBeOfType<RecipientFailed>();
        (await test.InboxAsync(test.Sender)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task NOTIFY_SUCCESS_is_answered_by_us_where_the_next_host_has_no_DSN(bool dsn, int notifications)
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync(Notify(test.Submission("bob@b.example"), NotifyOn.Success));
        var row = await test.BeginOneAsync();
        await test.Queue.RecordAsync(row, new([], [new(0, OutcomeKind.Delivered, 250, "2.0.0", "Ok", "mx", dsn)]), default);
        var inbox = await test.InboxAsync(test.Sender);
        inbox.Count.ShouldBe(notifications);
        if (notifications > 0)
            inbox[0].ShouldContain("Action: relayed");
    }

    [Fact]
    public async Task Recipients_here_have_it_when_the_submission_ends_and_their_senders_hear_of_it_if_they_want()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var bob = await test.Mail.NewAccountAsync();
        var submission = Notify(test.Submission(bob.Address, "x@b.example"), NotifyOn.Success | NotifyOn.Failure);
        var delivery = await test.SubmitAsync(submission, new SubmittedLocal(0, new(bob.Account, bob.Address, bob.Address)));
        (await test.InboxAsync(bob)).ShouldHaveSingleItem().ShouldContain("Subject: Hello");
        (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem().ShouldContain("Action: delivered");
        var state = await test.StateAsync(delivery);
        state.Recipients.ShouldBe([DeliveryStatus.Delivered, DeliveryStatus.Queued]);
        (await test.ClaimOneAsync()).Domain.ShouldBe("b.example");
    }

    [Fact]
    public async Task A_submission_that_does_not_fit_into_a_local_quota_leaves_nothing_behind()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var full = await test.Mail.NewAccountAsync(quota: 10);
        var refused = await test.Queue.SubmitAsync(
            test.Submission(full.Address, "x@b.example"), await test.ContentAsync(),
            [new(0, new LocalRecipient(full.Account, full.Address, full.Address))], QuotaRule.EveryoneFits, Actor.System, null, default);
        refused.Rejection.ShouldBe(Domain.Rejection.OverQuota);
        (await test.RowsAsync()).ShouldBe(0);
        (await test.InboxAsync(full)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_that_is_held_for_later_reaches_recipients_here_and_elsewhere_later()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var bob = await test.Mail.NewAccountAsync();
        var until = test.Clock.GetUtcNow().AddHours(2);
        var delivery = await test.SubmitAsync(
            test.Submission(bob.Address, "nobody@example.test", "x@b.example") with { HoldUntil = until },
            new SubmittedLocal(0, new(bob.Account, bob.Address, bob.Address)));
        (await test.InboxAsync(bob)).ShouldBeEmpty();
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        test.Clock.Advance(TimeSpan.FromHours(3));
        (await test.ClaimOneAsync()).Domain.ShouldBe("b.example");
        (await test.InboxAsync(bob)).ShouldHaveSingleItem();
        (await test.StateAsync(delivery)).Recipients.ShouldBe([DeliveryStatus.Delivered, DeliveryStatus.Failed, DeliveryStatus.Queued]);
        (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem().ShouldContain("5.1.1");
    }

    [Fact]
    public async Task A_sender_who_is_full_hears_of_failures_all_the_same()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("bob@b.example");
        (await test.Mail.Accounts.SetQuotaAsync(test.Sender.Address, 1, Actor.System, default)).Rejection.ShouldBeNull();
        await test.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", "No such user");
        (await test.InboxAsync(test.Sender)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task DELIVERBY_with_return_is_given_back_without_another_attempt_when_the_time_is_up()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var by = new DeliverBy(test.Clock.GetUtcNow().AddMinutes(7), "R", false);
        var delivery = await test.SubmitAsync(test.Submission("bob@b.example") with { DeliverBy = by });
        (await test.AttemptAsync(OutcomeKind.Deferred)).Next!.Value.ShouldBe(test.Clock.GetUtcNow().AddMinutes(5), TimeSpan.FromSeconds(30));
        test.Clock.Advance(TimeSpan.FromMinutes(6));
        (await test.AttemptAsync(OutcomeKind.Deferred)).Next.ShouldBe(by.At);
        test.Clock.Advance(TimeSpan.FromMinutes(2));
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        var events = await test.EventsAsync(delivery);
        events[^2].ShouldBeOfType<RecipientFailed>().Enhanced.ShouldBe("5.4.7");
        events[^1].ShouldBeOfType<BounceIssued>();
        (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem().ShouldNotContain("Last-Attempt-Date");
    }

    [Fact]
    public async Task DELIVERBY_with_notify_goes_on_when_the_time_is_up_and_the_sender_hears_so_although_he_was_warned_before()
    {
        // RFC 2852 §4.1.3, §5
        await using var test = await DeliveryFixture.StartAsync();
        var by = new DeliverBy(test.Clock.GetUtcNow().AddHours(6), "N", false);
        await test.SubmitAsync(test.Submission("bob@b.example") with { DeliverBy = by });
        await test.AttemptAsync(OutcomeKind.Deferred);
        test.Clock.Advance(TimeSpan.FromHours(5));
        (await test.AttemptAsync(OutcomeKind.Deferred, 451, "4.3.0")).Next!.Value.ShouldBeLessThan(by.At);
        (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem().ShouldContain("\r\nStatus: 4.3.0\r\n");
        test.Clock.Advance(TimeSpan.FromHours(2));
        await test.AttemptAsync(OutcomeKind.Deferred);
        (await test.InboxAsync(test.Sender))[^1].ShouldSatisfyAllConditions(
            text => text.ShouldContain("\r\nStatus: 4.4.7\r\n"), text => text.ShouldContain("Action: delayed"), text => text.ShouldContain("\r\nDeliver-By-Date: "));
        test.Clock.Advance(TimeSpan.FromHours(5));
        await test.AttemptAsync(OutcomeKind.Deferred);
        (await test.InboxAsync(test.Sender)).Count.ShouldBe(2);
    }

    // RFC 2852 §4.1.4, §4.1.4.2
    [Theory]
    [InlineData("R", false, NotifyOn.Default, true, false)]
    [InlineData("R", true, NotifyOn.Default, true, true)]
    [InlineData("R", true, NotifyOn.Failure, true, true)]
    [InlineData("R", true, NotifyOn.None, true, false)]
    [InlineData("N", false, NotifyOn.Default, true, false)]
    [InlineData("N", false, NotifyOn.Failure, false, true)]
    [InlineData("N", false, NotifyOn.None, false, false)]
    public async Task The_sender_hears_of_relays_that_are_traced_or_that_mind_no_time(string mode, bool trace, NotifyOn notify, bool isMinded, bool isTold)
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync(test.Submission() with
        {
            DeliverBy = new(test.Clock.GetUtcNow().AddHours(1), mode, trace),
            Recipients = [new("bob@b.example", "b.example", null, notify)],
        });
        var row = await test.BeginOneAsync();
        await test.Queue.RecordAsync(
            row, new([], [new(0, OutcomeKind.Delivered, 250, "2.0.0", "ok", "mx.b.example", RelayedDsn: true, RelayedTime: isMinded)]), default);
        var inbox = await test.InboxAsync(test.Sender);
        inbox.Count.ShouldBe(isTold ? 1 : 0);
        if (isTold)
            inbox[0].ShouldContain("Action: relayed");
    }

    [Fact]
    public async Task A_message_that_required_TLS_does_not_come_back_whole()
    {
        // RFC 8689 §5
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync(test.Submission("bob@b.example") with { RequireTls = true, Return = "full" });
        await test.AttemptAsync(OutcomeKind.Failed, 550, "5.1.1", "No such user");
        (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem().ShouldContain("Content-Type: text/rfc822-headers");
    }

    [Fact]
    public async Task The_sender_is_warned_of_a_delay_once()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("bob@b.example");
        await test.AttemptAsync(OutcomeKind.Deferred);
        (await test.InboxAsync(test.Sender)).ShouldBeEmpty();
        for (var i = 0; i < 2; i++)
        {
            test.Clock.Advance(TimeSpan.FromHours(5));
            await test.AttemptAsync(OutcomeKind.Deferred);
            (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem().ShouldContain("Action: delayed");
        }
    }

    [Fact]
    public async Task What_is_held_is_not_claimed_and_goes_on_when_it_is_released()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("bob@b.example");
        (await test.Queue.Operations.HoldAsync(delivery, "abuse", Actor.System, default)).Rejection.ShouldBeNull();
        (await test.Queue.Operations.HoldAsync(delivery, null, Actor.System, default)).Rejection.ShouldBe(DeliveryRejections.HeldAlready);
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.Queue.Operations.RetryAsync(delivery, null, Actor.System, default)).Rejection.ShouldBe(DeliveryRejections.Held);
        (await test.Queue.Operations.ReleaseAsync(delivery, Actor.System, default)).Rejection.ShouldBeNull();
        await test.ClaimOneAsync();
    }

    [Fact]
    public async Task What_is_held_after_it_was_claimed_is_not_begun()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("bob@b.example");
        var row = await test.ClaimOneAsync();
        await test.Queue.Operations.HoldAsync(delivery, null, Actor.System, default);
        (await test.Queue.BeginAsync(row, default)).Rejection.ShouldBe(DeliveryRejections.Held);
        await test.Queue.Operations.ReleaseAsync(delivery, Actor.System, default);
        await test.BeginOneAsync();
    }

    [Fact]
    public async Task A_retry_makes_it_due_and_a_cancellation_takes_it_out_unless_an_attempt_is_under_way()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("bob@b.example");
        await test.AttemptAsync(OutcomeKind.Deferred);
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.Queue.Operations.RetryAsync(delivery, null, Actor.System, default)).Rejection.ShouldBeNull();
        var row = await test.BeginOneAsync();
        row.Attempt.ShouldBe(2);
        (await test.Queue.Operations.CancelAsync(delivery, null, null, Actor.System, default)).Rejection.ShouldBe(DeliveryRejections.UnderWay);
        await test.RecordAsync(row, OutcomeKind.Deferred);
        (await test.Queue.Operations.CancelAsync(delivery, null, "by mistake", Actor.System, default)).Rejection.ShouldBeNull();
        (await test.RowsAsync()).ShouldBe(0);
        (await test.StateAsync(delivery)).Recipients.ShouldBe([DeliveryStatus.Cancelled]);
        (await test.Queue.Operations.CancelAsync(delivery, null, null, Actor.System, default)).Rejection.ShouldBe(DeliveryRejections.NothingQueued);
        (await test.Queue.Operations.CancelAsync(new("nobody", Guid.NewGuid()), null, null, Actor.System, default)).Rejection.ShouldBe(DeliveryRejections.Missing);
    }

    [Fact]
    public async Task Rows_that_are_given_back_are_due_for_anybody_and_no_event_is_written()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        var delivery = await test.SubmitAsync("bob@b.example", "ann@c.example");
        var rows = await test.Queue.ClaimAsync(DeliveryFixture.All, default);
        rows.Count.ShouldBe(2);
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        await test.Queue.ReturnAsync(rows, default);
        (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).Count.ShouldBe(2);
        await test.Queue.ReturnAsync(rows, default); // they are another's by now
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await test.EventsAsync(delivery)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Whose_message_is_lost_is_told_of_its_failure_without_it()
    {
        await using var test = await DeliveryFixture.StartAsync();
        await using var second = await SecondNode.StartAsync(test);
        var delivery = await test.SubmitAsync("bob@b.example");
        var row = (await second.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem();
        await using (var lose = test.Mail.Log.DataSource.CreateCommand($"delete from eventmail.content where number = {row.Message.Content.Number}"))
            (await lose.ExecuteNonQueryAsync()).ShouldBe(1);
        (await second.Queue.BeginAsync(row, default)).Rejection.ShouldBeNull();
        await second.Queue.RecordAsync(row, DeliveryFixture.Report(row, OutcomeKind.Failed, 550, "5.1.1", "No such user"), default);
        (await test.EventsAsync(delivery))[^1].ShouldBeOfType<BounceIssued>().Mailbox.ShouldNotBeNull();
        (await test.InboxAsync(test.Sender)).ShouldHaveSingleItem().ShouldContain("smtp; 550 5.1.1 No such user");
    }

    [Fact]
    public async Task Who_waits_here_for_the_same_moment_has_it_then_however_many_they_are()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var bob = await test.Mail.NewAccountAsync();
        for (var i = 0; i < 4; i++)
            await test.SubmitAsync(test.Submission(bob.Address) with { HoldUntil = test.Clock.GetUtcNow().AddHours(1) });
        using var woken = new SemaphoreSlim(0);
        using var subscription = test.Queue.OnWork(() => woken.Release());
        while (await woken.WaitAsync(TimeSpan.FromMilliseconds(300)))
        {
        }
        test.Clock.Advance(TimeSpan.FromHours(2));
        for (var i = 0; i < 4; i++)
        {
            (await test.Queue.ClaimAsync(new(1, TimeSpan.FromMinutes(2), []), default)).ShouldBeEmpty();
            (await woken.WaitAsync(Waiting.Limit)).ShouldBeTrue("nothing was claimed, and more is due");
        }
        (await test.InboxAsync(bob)).Count.ShouldBe(4);
    }

    [Fact]
    public async Task Whoever_delivers_is_woken_by_submissions_releases_retries_and_when_a_wait_is_over()
    {
        await using var test = await DeliveryFixture.StartAsync(options => options with
        {
            Rules = options.Rules with { Schedule = [.. Enumerable.Repeat(TimeSpan.FromMilliseconds(700), 100)] },
        });
        using var woken = new SemaphoreSlim(0);
        using var subscription = test.Queue.OnWork(() => woken.Release());
        await Drain();
        var delivery = await test.SubmitAsync("bob@b.example");
        await ShouldWake();
        // Once more where it is over before it has been waited for.
        DateTimeOffset next;
        do
        {
            await test.AttemptAsync(OutcomeKind.Deferred);
            next = (await test.EventsAsync(delivery)).OfType<DeliveryDeferred>().Last().Next;
            await Drain();
        }
        while (test.Clock.GetUtcNow() >= next);
        await ShouldWake(); // the wait is over
        await test.Queue.Operations.HoldAsync(delivery, null, Actor.System, default);
        await Drain();
        await test.Queue.Operations.ReleaseAsync(delivery, Actor.System, default);
        await ShouldWake();
        await test.ClaimOneAsync();

        async Task ShouldWake()
        {
            (await woken.WaitAsync(Waiting.Limit)).ShouldBeTrue();
            await Drain();
        }

        async Task Drain()
        {
            while (await woken.WaitAsync(TimeSpan.FromMilliseconds(100)))
            {
            }
        }
    }

    [Fact]
    public async Task The_queue_is_what_the_log_says_also_with_rows_that_are_claimed()
    {
        var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("bob@b.example", "ann@c.example");
        foreach (var row in await test.Queue.ClaimAsync(DeliveryFixture.All, default))
        {
            (await test.Queue.BeginAsync(row, default)).Rejection.ShouldBeNull();
            await test.RecordAsync(row, OutcomeKind.Deferred);
        }
        var held = await test.SubmitAsync("bob@d.example");
        await test.Queue.Operations.HoldAsync(held, null, Actor.System, default);
        await test.SubmitAsync("bob@e.example");
        await test.ClaimOneAsync();
        (await test.RowsAsync()).ShouldBe(4);
        await test.Queue.DisposeAsync();
        await test.Mail.ShouldBeWhatTheLogSaysAsync();
        await test.Mail.DisposeAsync();
    }

    private static Submission Notify(Submission submission, NotifyOn on) =>
        submission with { Recipients = [.. submission.Recipients.Select(r => r with { Notify = on })] };
}
