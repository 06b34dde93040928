using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Protocols.Smtp.Submission;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Protocols.Tests.Smtp.Submission;

/// <summary>How much may be submitted.</summary>
public sealed class SubmissionLimitTests(SubmissionFixture fixture) : IClassFixture<SubmissionFixture>
{
    private const string TooManyMessages = "450 4.7.1 Too many messages in an hour, try again later";
    private const string TooMuchWaiting = "452 4.3.1 Too much of your mail is waiting to be delivered, try again later";
    private const string TooManyRecipients = "450 4.7.1 Too many recipients in an hour, try again later";

    [Fact]
    public async Task MaxRecipients_of_a_message_then_452()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account, fixture.NewServices(limits: new() { MaxRecipients = 2 }));
        await client.AskAsync($"MAIL FROM:<{account.Address}>");
        (await client.AskAsync("RCPT TO:<a@example.com>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<b@example.com>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<c@example.com>")).ShouldBe("452 4.5.3 Too many recipients");
    }

    [Fact]
    public async Task MaxWaitingMessages_of_an_account_then_452_at_the_end_of_the_message_and_from_then_on_at_RCPT()
    {
        var (account, colleague) = (await fixture.Mail.NewAccountAsync(), await fixture.Mail.NewAccountAsync());
        await using var deliveries = new DeliveryService(
            fixture.Mail.Log, fixture.Mail.Directory, fixture.Mail.Mailboxes, new() { Waiting = new(Messages: 1) }, NullLoggerFactory.Instance);
        await using var client = await fixture.LogInAsync(account, fixture.NewServices(deliveries: deliveries));
        var message = $"From: <{account.Address}>\r\n\r\nhello";
        (await SubmissionFixture.SendAsync(client, $"<{account.Address}>", ["<a@example.com>"], message)).ShouldStartWith("250 ");
        (await SubmissionFixture.SendAsync(client, $"<{account.Address}>", ["<b@example.com>"], message)).ShouldBe(TooMuchWaiting);
        (await client.AskAsync($"MAIL FROM:<{account.Address}>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<c@example.com>")).ShouldBe(TooMuchWaiting);
        (await client.AskAsync($"RCPT TO:<{colleague.Address}>"))!.ShouldStartWith("250 ");
    }

    [Fact]
    public async Task MessagesPerAccount_in_an_hour_on_all_its_connections_then_450_until_they_are_earned_again()
    {
        var (account, other) = (await fixture.Mail.NewAccountAsync(), await fixture.Mail.NewAccountAsync());
        var clock = new ManualClock();
        var services = fixture.NewServices(rates: new() { MessagesPerAccount = 4 }, clock: clock);
        for (var i = 0; i < 4; i++)
            (await MailAsync(account, services)).ShouldBe("250 2.1.0 Ok");
        (await MailAsync(account, services)).ShouldBe(TooManyMessages);
        (await MailAsync(other, services)).ShouldBe("250 2.1.0 Ok");
        clock.Advance(TimeSpan.FromMinutes(16));
        (await MailAsync(account, services)).ShouldBe("250 2.1.0 Ok");
        (await MailAsync(account, services)).ShouldBe(TooManyMessages);
    }

    [Fact]
    public async Task RecipientsPerAccount_in_an_hour_then_450()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account, fixture.NewServices(rates: new() { RecipientsPerAccount = 2 }));
        await client.AskAsync($"MAIL FROM:<{account.Address}>");
        (await client.AskAsync("RCPT TO:<a@example.com>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<b@example.com>"))!.ShouldStartWith("250 ");
        (await client.AskAsync("RCPT TO:<c@example.com>")).ShouldBe(TooManyRecipients);
    }

    [Fact]
    public async Task MessagesPerAddress_and_RecipientsPerAddress_count_whoever_is_logged_in_and_not_on_this_machine()
    {
        var (alice, bob) = (await fixture.Mail.NewAccountAsync(), await fixture.Mail.NewAccountAsync());
        var services = fixture.NewServices(rates: new() { MessagesPerAddress = 2, RecipientsPerAddress = 1 });
        (await MailAsync(alice, services, "2001:db8::1")).ShouldBe("250 2.1.0 Ok");
        await using (var client = await fixture.LogInAsync(bob, services, "2001:db8::2", tls: true))
        {
            (await client.AskAsync($"MAIL FROM:<{bob.Address}>"))!.ShouldStartWith("250 ");
            (await client.AskAsync("RCPT TO:<a@example.com>"))!.ShouldStartWith("250 ");
            (await client.AskAsync("RCPT TO:<b@example.com>")).ShouldBe(TooManyRecipients);
        }

        (await MailAsync(bob, services, "2001:db8::3")).ShouldBe(TooManyMessages);
        (await MailAsync(bob, services, "2001:db8:1::3")).ShouldBe("250 2.1.0 Ok");
        (await MailAsync(bob, services)).ShouldBe("250 2.1.0 Ok");
    }

    [Fact]
    public async Task MaxMessageSize_is_announced_and_holds()
    {
        var account = await fixture.Mail.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account, fixture.NewServices(limits: new() { MaxMessageSize = 70_000 }));
        (await client.AskAsync($"MAIL FROM:<{account.Address}> SIZE=70001")).ShouldBe("552 5.3.4 Message exceeds the size limit");
        (await SubmissionFixture.SendAsync(client, $"<{account.Address}>", ["<a@example.com>"], $"From: <{account.Address}>\r\n\r\n{new string('x', 70_000)}"))
            .ShouldBe("552 5.3.4 Message exceeds the size limit");
    }

    private async Task<string?> MailAsync(AccountEntry account, EventMail.Protocols.Smtp.SmtpServices services, string client = "127.0.0.1")
    {
        await using var session = await fixture.LogInAsync(account, services, client, tls: client != "127.0.0.1");
        return await session.AskAsync($"MAIL FROM:<{account.Address}>");
    }

    private sealed class ManualClock : TimeProvider
    {
        private TimeSpan _passed;

        public void Advance(TimeSpan time) => _passed += time;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _passed.Ticks + 1;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000) + _passed;
    }
}
