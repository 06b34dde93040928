using EventMail.Domain.Deliveries;
using EventMail.Projections.Deliveries;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Tests.Deliveries;

/// <summary>How much an account may have waiting to be delivered to others.</summary>
public sealed class WaitingTests
{
    private static readonly TimeSpan WhileItIsRemembered = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Beyond_the_octets_that_may_wait_nothing_is_taken_until_something_is_delivered()
    {
        await using var sizing = await DeliveryFixture.StartAsync();
        var size = (await sizing.ContentAsync()).Size;
        await using var test = await DeliveryFixture.StartAsync(options => options with { Waiting = new(Octets: 2 * size + 10) });
        // Once, however many domains it is for.
        await test.SubmitAsync("a@b.example", "b@c.example", "c@d.example");
        await test.SubmitAsync("a@e.example");
        (await TrySubmitAsync(test, test.Queue)).ShouldBe(DeliveryRejections.TooMuchWaiting);
        (await test.Queue.HasTooMuchWaitingAsync(test.Sender.Account, size, default)).ShouldBeTrue();
        (await test.RowsAsync()).ShouldBe(4);

        var rows = await test.Queue.ClaimAsync(DeliveryFixture.All, default);
        var last = rows.Single(row => row.Domain == "e.example");
        (await test.Queue.BeginAsync(last, default)).Rejection.ShouldBeNull();
        await test.RecordAsync(last, OutcomeKind.Delivered, 250, "2.0.0", "Ok");
        test.Clock.Advance(WhileItIsRemembered);
        (await test.Queue.HasTooMuchWaitingAsync(test.Sender.Account, size + 100, default)).ShouldBeTrue("SIZE counts");
        (await test.Queue.HasTooMuchWaitingAsync(test.Sender.Account, size, default)).ShouldBeFalse();
        (await TrySubmitAsync(test, test.Queue)).ShouldBeNull();
        await test.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task Many_at_once_on_two_nodes_get_no_more_in_than_may_wait_and_others_are_not_disturbed()
    {
        const int Most = 5;
        await using var test = await DeliveryFixture.StartAsync(options => options with { Waiting = new(Messages: Most) });
        await using var second = await SecondNode.StartAsync(test, options => options with { Waiting = new(Messages: Most) });
        var other = await test.Mail.NewAccountAsync();
        var mine = Enumerable.Range(0, 24).Select(i => TrySubmitAsync(test, i % 2 == 0 ? test.Queue : second.Queue));
        var others = Enumerable.Range(0, Most).Select(_ => TrySubmitAsync(test, test.Queue, other.Account));
        var answers = await Task.WhenAll(mine);
        (await Task.WhenAll(others)).ShouldAllBe(rejection => rejection == null);
        answers.Count(rejection => rejection is null).ShouldBe(Most);
        answers.Count(rejection => rejection == DeliveryRejections.TooMuchWaiting).ShouldBe(24 - Most);
        await test.Mail.ShouldBeWhatTheLogSaysAsync();
    }

    [Fact]
    public async Task What_is_for_mailboxes_here_alone_does_not_wait_and_is_not_counted()
    {
        await using var test = await DeliveryFixture.StartAsync(options => options with { Waiting = new(Messages: 1) });
        await test.SubmitAsync("a@b.example");
        for (var i = 0; i < 3; i++)
            await test.SubmitAsync(test.Submission(test.Sender.Address), new SubmittedLocal(0, new(test.Sender.Account, test.Sender.Address, test.Sender.Address)));
        // Those that are held wait for mailboxes here as well.
        var held = test.Submission(test.Sender.Address) with { HoldUntil = test.Clock.GetUtcNow().AddDays(1) };
        (await SubmitAsync(test, test.Queue, held)).ShouldBe(DeliveryRejections.TooMuchWaiting);
    }

    private static Task<Domain.Rejection?> TrySubmitAsync(DeliveryFixture test, DeliveryService queue, string? account = null) =>
        SubmitAsync(test, queue, test.Submission("x@elsewhere.example") with { Account = account ?? test.Sender.Account });

    private static async Task<Domain.Rejection?> SubmitAsync(DeliveryFixture test, DeliveryService queue, Submission submission) =>
        (await queue.SubmitAsync(submission, await test.ContentAsync(), [], QuotaRule.EveryoneFits, new("a", "session", "{}"), "1", default)).Rejection;
}
