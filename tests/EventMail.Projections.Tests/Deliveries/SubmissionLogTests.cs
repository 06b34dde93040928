using EventMail.Domain;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Tests.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Tests.Deliveries;

/// <summary>What the log tells of a message that is handed in.</summary>
public sealed class SubmissionLogTests
{
    [Fact]
    public async Task SeedScenarios_Q_002_a_message_that_waits_is_told_with_its_sender_and_the_number_of_recipients()
    {
        var log = new Recorded();
        await using var test = await DeliveryFixture.StartAsync();
        await using var queue = Open(test, log);
        var submission = test.Submission("bob@b.example", "carol@b.example", "dora@d.example");
        (await queue.SubmitAsync(submission, await test.ContentAsync(), [], QuotaRule.EveryoneFits, Actor.System, null, default)).Rejection.ShouldBeNull();
        log.Lines.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            line => line.Level.ShouldBe(LogLevel.Information),
            line => line.Text.ShouldStartWith($"Queued m@example.test from <{test.Sender.Address}> for 3 recipients in 2 domains (delivery "));
    }

    [Fact]
    public async Task A_copy_for_Sent_that_finds_no_room_is_a_warning_and_the_message_goes_out()
    {
        var log = new Recorded();
        await using var test = await DeliveryFixture.StartAsync();
        (await test.Mail.Accounts.SetQuotaAsync(test.Sender.Address, 1, Actor.System, default)).Rejection.ShouldBeNull();
        await using var queue = Open(test, log);
        var content = await test.ContentAsync();
        (await queue.SubmitAsync(test.Submission("bob@b.example"), content, [], QuotaRule.EveryoneFits, Actor.System, null, default, content)).Rejection.ShouldBeNull();
        (await test.RowsAsync()).ShouldBe(1);
        log.Lines.ShouldContain(line => line.Level == LogLevel.Warning && line.Text.Contains("Sent mailbox is not kept: the account is full"));
    }

    private static Projections.Deliveries.DeliveryService Open(DeliveryFixture test, Recorded log) => DeliveryFixture.Open(
        test.Mail.Log, test.Mail.Directory, test.Mail.Mailboxes, test.Clock, loggers: LoggerFactory.Create(logging => logging.AddProvider(log)));
}
