using EventMail.Domain.Deliveries;
using EventMail.Projections.Deliveries;

namespace EventMail.Projections.Tests.Deliveries;

/// <summary>"SMTP Queue Management", Q-002 to Q-005, as given, when, then.</summary>
public sealed class SeedScenariosQueueTests
{
    private static async Task<RecordedAttempt> FailAsync(DeliveryFixture test, int times)
    {
        for (var i = 1; i < times; i++)
        {
            var next = (await test.AttemptAsync(OutcomeKind.Deferred)).Next!.Value;
            test.Clock.Advance(next - test.Clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        }
        return await test.AttemptAsync(OutcomeKind.Deferred);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 15)]
    [InlineData(3, 30)]
    [InlineData(4, 60)]
    [InlineData(5, 120)]
    [InlineData(6, 240)]
    [InlineData(7, 480)]
    [InlineData(8, 960)]
    [InlineData(9, 1440)]
    public async Task Exponential_backoff_a_message_that_has_failed_so_often_is_tried_again_after_so_many_minutes(int failures, int minutes)
    {
        await using var test = await DeliveryFixture.StartAsync();
        await test.SubmitAsync("bob@b.example");
        var recorded = await FailAsync(test, failures);
        recorded.Retries.ShouldBe(failures); // the seeds' retry count is the one before
        (recorded.Next!.Value - test.Clock.GetUtcNow()).ShouldBe(TimeSpan.FromMinutes(minutes), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Exponential_backoff_a_message_that_has_failed_ten_times_is_permanently_failed_and_a_bounce_is_generated()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("bob@b.example");
        (await FailAsync(test, 10)).Next.ShouldBeNull();
        var events = await test.EventsAsync(delivery);
        events.OfType<DeliveryBegun>().Count().ShouldBe(10);
        var failed = events.OfType<RecipientFailed>().ShouldHaveSingleItem();
        (failed.Code, failed.Enhanced, failed.Host).ShouldBe((451, "5.4.7", "mx.b.example"));
        failed.Text.ShouldContain("451 4.3.0 try later");
        (await test.RowsAsync()).ShouldBe(0);
        test.Clock.Advance(TimeSpan.FromDays(30));
        (await test.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        var told = await test.InboxAsync(test.Sender);
        told.Count(text => text.Contains("Action: failed")).ShouldBe(1);
        told.Single(text => text.Contains("Action: failed")).ShouldContain("Status: 5.4.7");
    }

    [Fact]
    public async Task Exponential_backoff_after_a_restart_the_schedule_resumes_from_the_persisted_retry_count_and_no_retry_is_skipped_or_duplicated()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("bob@b.example");
        var before = await FailAsync(test, 3);
        await test.Queue.DisposeAsync();

        await using var restarted = await SecondNode.StartAsync(test);
        (await restarted.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        test.Clock.Advance(before.Next!.Value - test.Clock.GetUtcNow() + TimeSpan.FromSeconds(1));
        var row = (await restarted.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldHaveSingleItem();
        (row.Attempt, row.Retries).ShouldBe((4, 3));
        (await restarted.Queue.ClaimAsync(DeliveryFixture.All, default)).ShouldBeEmpty();
        (await restarted.Queue.BeginAsync(row, default)).Rejection.ShouldBeNull();
        var after = await restarted.Queue.RecordAsync(row, DeliveryFixture.Report(row, OutcomeKind.Deferred, 451, "4.3.0", "later"), default);
        (after.Next!.Value - test.Clock.GetUtcNow()).ShouldBe(TimeSpan.FromHours(1), TimeSpan.FromSeconds(5));
        (await test.EventsAsync(delivery)).OfType<DeliveryBegun>().Select(e => e.Attempt).ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public async Task Failed_deliveries_are_marked_with_specific_error_codes()
    {
        await using var test = await DeliveryFixture.StartAsync();
        var delivery = await test.SubmitAsync("bob@b.example");
        await test.AttemptAsync(OutcomeKind.Failed, 554, "5.7.1", "Relay access denied");
        (await test.EventsAsync(delivery)).OfType<RecipientFailed>().ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            failed => failed.Code.ShouldBe(554), failed => failed.Enhanced.ShouldBe("5.7.1"), failed => failed.Text.ShouldBe("Relay access denied"));
    }
}
