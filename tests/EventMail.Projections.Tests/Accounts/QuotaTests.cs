using System.Text;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using Microsoft.Extensions.Logging;
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
    public async Task U006_Given_97_percent_used_the_highest_mark_passed_is_95_and_is_logged_as_a_warning()
    {
        await using var accounts = await OpenAsync();
        using var logs = LoggerFactory.Create(builder => builder.AddProvider(accounts.Log));
        await using var watch = new QuotaWatch(accounts.Events, accounts.Directory, logs);
        await FillAsync(accounts, 970_000);
        await EventuallyAsync(accounts, 95);
        await TestAccounts.EventuallyAsync(() => Task.FromResult(accounts.Log.Lines.Any(line =>
            line.Level == LogLevel.Warning && line.Text.Contains("95") && line.Text.Contains("970000"))));
    }

    [Fact]
    public async Task U006_Given_a_mark_reached_exactly_it_is_passed_and_a_full_account_has_passed_100()
    {
        await using var accounts = await OpenAsync();
        await using var watch = new QuotaWatch(accounts.Events, accounts.Directory, NullLoggerFactory.Instance);
        await FillAsync(accounts, 799_999);
        await FillAsync(accounts, 200);
        await EventuallyAsync(accounts, 80);
        await FillAsync(accounts, 199_801);
        await EventuallyAsync(accounts, 80, 100);
    }

    // Other than the seed says, nothing is added for overhead: docs/decisions/0016-where-the-requirements-disagree.md.
    [Fact]
    public async Task U006_Given_many_messages_the_quota_used_is_the_sum_of_their_octets_also_when_it_is_computed_anew()
    {
        await using var accounts = await OpenAsync();
        var joe = "";
        for (var i = 0; i < 100; i++)
            joe = await FillAsync(accounts, 9_500);
        (await accounts.Directory.UsageAsync(joe, default)).ShouldBe(new QuotaUsage(950_000, Quota));
        await accounts.RestartAsync();
        (await accounts.Directory.UsageAsync(joe, default)).ShouldBe(new QuotaUsage(950_000, Quota));
    }

    [Fact]
    public async Task U006_The_default_quota_is_one_gibibyte()
    {
        await using var accounts = await TestAccounts.OpenAsync(defaultQuota: AccountLimits.DefaultQuota);
        var joe = await accounts.AddAsync("joe@example.com");
        (await accounts.Directory.UsageAsync(joe.Account, default)).ShouldBe(new QuotaUsage(0, 1_073_741_824));
    }

    [Fact]
    public async Task Watching_ends_with_the_watch_and_a_mark_missed_meanwhile_is_noted_with_the_next_message()
    {
        await using var accounts = await OpenAsync();
        await FillAsync(accounts, 850_000);
        await using (new QuotaWatch(accounts.Events, accounts.Directory, NullLoggerFactory.Instance))
        {
            await FillAsync(accounts, 1_000);
            await EventuallyAsync(accounts, 80);
        }

        await FillAsync(accounts, 100_000);
        await EventuallyAsync(accounts, 80);
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
