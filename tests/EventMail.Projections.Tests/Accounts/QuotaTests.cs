using System.Text;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Accounts;

/// <summary>The quota seed's scenarios, in kilobytes for its gigabytes.</summary>
public sealed class QuotaTests
{
    private const long Quota = 1_000_000;

    [Fact]
    public async Task U006_Given_half_of_the_quota_used_a_message_that_fits_is_accepted_and_counted()
    {
        await using var accounts = await OpenAsync();
        var joe = await FillAsync(accounts, 500_000);
        (await StatusAsync(accounts, 200_000)).ShouldBe(RecipientStatus.Local);
        await FillAsync(accounts, 200_000);
        (await accounts.Directory.UsageAsync(joe, default)).ShouldBe(new QuotaUsage(700_000, Quota));
    }

    [Fact]
    public async Task U006_Given_a_full_mailbox_a_message_is_refused_at_RCPT()
    {
        await using var accounts = await OpenAsync();
        await FillAsync(accounts, 999_000);
        (await StatusAsync(accounts, 100_000)).ShouldBe(RecipientStatus.OverQuota);
        (await StatusAsync(accounts, 0)).ShouldBe(RecipientStatus.Local);
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_at_the_commit_too()
    {
        await using var accounts = await OpenAsync();
        var joe = await FillAsync(accounts, 900_000);
        (await AppendAsync(accounts, joe, 200_000)).ShouldBe(Rejection.OverQuota);
        (await accounts.Directory.UsageAsync(joe, default)).Used.ShouldBe(900_000);
    }

    [Fact]
    public async Task U006_Given_a_mark_is_passed_one_event_says_so_each_time()
    {
        await using var accounts = await OpenAsync();
        await using var watch = new QuotaWatch(accounts.Events, accounts.Directory, NullLoggerFactory.Instance);
        var joe = await FillAsync(accounts, 700_000);
        await FillAsync(accounts, 120_000);
        await EventuallyAsync(accounts, 80);
        await FillAsync(accounts, 150_000);
        await EventuallyAsync(accounts, 80, 95);
        var inbox = (await accounts.First.Mailboxes.OpenAsync(joe, "INBOX", default)).Value!;
        using (inbox)
            await accounts.First.Mailboxes.RemoveAsync(inbox, EventMail.Domain.Mailboxes.UidSet.FromRanges([new(1, 2)]), Actor.System, null, default);
        await EventuallyAsync(accounts, 80, 95, 0);
        await FillAsync(accounts, 700_000);
        await EventuallyAsync(accounts, 80, 95, 0, 80);
    }

    [Fact]
    public async Task A_new_limit_holds_at_once()
    {
        await using var accounts = await OpenAsync();
        await FillAsync(accounts, 500_000);
        await accounts.Accounts.SetQuotaAsync("joe@example.com", 400_000, Actor.System, default);
        (await StatusAsync(accounts, 0)).ShouldBe(RecipientStatus.OverQuota);
    }

    private static async Task<TestAccounts> OpenAsync()
    {
        var accounts = await TestAccounts.OpenAsync();
        await accounts.AddAsync("joe@example.com", quota: Quota);
        return accounts;
    }

    private static async Task<RecipientStatus> StatusAsync(TestAccounts accounts, long size) =>
        (await accounts.Directory.ResolveAsync("joe", "example.com", size, default)).Status;

    private static async Task<string> FillAsync(TestAccounts accounts, int bytes)
    {
        var joe = (await accounts.Directory.FindAsync("joe@example.com", default))!.Account;
        await accounts.Directory.UsageAsync(joe, default);
        (await AppendAsync(accounts, joe, bytes)).ShouldBeNull();
        return joe;
    }

    private static async Task<Rejection?> AppendAsync(TestAccounts accounts, string account, int bytes)
    {
        const string header = "Subject: filling\r\n\r\n";
        await using var message = IncomingMessage.Begin(accounts.Events.Contents);
        await message.WriteAsync(Encoding.ASCII.GetBytes(header + new string('x', bytes - header.Length)), default);
        var staged = await message.CompleteAsync(mayExist: false, default);
        return (await accounts.First.Mailboxes.AppendAsync(
            account, "INBOX", staged, [], DateTimeOffset.UtcNow, Actor.System, null, default)).Rejection;
    }

    private static Task EventuallyAsync(TestAccounts accounts, params int[] marks) => TestAccounts.EventuallyAsync(async () =>
        (await accounts.EventsAsync("quota_threshold_crossed")).Select(e => ((QuotaThresholdCrossed)e.Data).Percent).SequenceEqual(marks));
}
