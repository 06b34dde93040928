using System.Text;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Tests.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Tests.Quotas;

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
        (await accounts.Directory.UsageAsync(joe, default)).ShouldBe(new QuotaUsage(700_000, Quota, 2));
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
    public async Task U006_Given_a_start_since_which_nobody_asked_about_the_account_its_quota_holds_all_the_same()
    {
        await using var accounts = await OpenAsync();
        var joe = await FillAsync(accounts, 900_000);
        await accounts.RestartAsync();
        (await AppendAsync(accounts, joe, 200_000)).ShouldBe(Rejection.OverQuota);
        using var inbox = (await accounts.First.Mailboxes.OpenAsync(joe, "INBOX", default)).Value!;
        (await accounts.First.Mailboxes.CopyAsync(inbox, UidSet.Of(1), "Archive", false, Actor.System, null, default))
            .Rejection.ShouldBe(Rejection.OverQuota);
        (await AppendAsync(accounts, joe, 100_000)).ShouldBeNull();
    }

    [Fact]
    public async Task U006_Given_many_messages_at_once_those_that_fit_are_kept_and_no_more()
    {
        await using var accounts = await OpenAsync();
        var joe = (await accounts.Directory.FindAsync("joe@example.com", default))!.Account;
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => AppendAsync(accounts, joe, 290_000)));
        answers.Count(answer => answer is null).ShouldBe(3);
        answers.Count(answer => answer == Rejection.OverQuota).ShouldBe(7);
        (await accounts.Directory.UsageAsync(joe, default)).Used.ShouldBe(870_000);
    }

    [Fact]
    public async Task U006_Given_a_message_is_rejected_a_warning_says_by_how_much()
    {
        await using var accounts = await OpenAsync();
        var joe = await FillAsync(accounts, 900_000);
        await AppendAsync(accounts, joe, 200_000);
        await StatusAsync(accounts, 300_000);
        var lines = accounts.Log.Lines.Where(line => line.Text.StartsWith("Quota exceeded - message rejected", StringComparison.Ordinal)).ToList();
        lines.ShouldAllBe(line => line.Level == LogLevel.Warning);
        lines.Select(line => line.Text).ShouldBe(
        [
            $"Quota exceeded - message rejected (user_id {joe}, email system, used_bytes 900000, limit_bytes 1000000, message_size 200000, overflow_bytes 100000)",
            $"Quota exceeded - message rejected (user_id {joe}, email joe@example.com, used_bytes 900000, limit_bytes 1000000, message_size 300000, overflow_bytes 200000)",
        ]);
    }

    [Fact]
    public async Task One_message_to_several_may_lie_beyond_the_quota_of_one_of_them_and_no_second()
    {
        await using var accounts = await OpenAsync();
        var joe = await FillAsync(accounts, 900_000);
        await accounts.AddAsync("ann@example.com", quota: 10 * Quota);
        (await ReceiveAsync(accounts, 200_000, QuotaRule.EveryoneFits, "joe", "ann")).ShouldBe(Rejection.OverQuota);
        (await ReceiveAsync(accounts, 200_000, QuotaRule.SomeoneFits, "joe", "ann")).ShouldBeNull();
        (await accounts.Directory.UsageAsync(joe, default)).Used.ShouldBe(1_100_000);
        // Full to the brim: the sender comes again, and hears of joe at RCPT.
        (await ReceiveAsync(accounts, 1_000, QuotaRule.SomeoneFits, "joe", "ann")).ShouldBe(Rejection.FullMeanwhile);
        (await ReceiveAsync(accounts, 1_000, QuotaRule.SomeoneFits, "joe")).ShouldBe(Rejection.OverQuota);
        (await StatusAsync(accounts, 0)).ShouldBe(RecipientStatus.OverQuota);
        (await accounts.Directory.UsageAsync(joe, default)).Used.ShouldBe(1_100_000);
    }

    [Fact]
    public async Task Postmasters_mail_that_nobody_else_takes_is_kept_beyond_the_quota()
    {
        await using var accounts = await OpenAsync();
        var joe = await FillAsync(accounts, 1_000_000);
        var postmaster = await accounts.Directory.ResolveAsync("postmaster", "", 5_000, default);
        postmaster.Status.ShouldBe(RecipientStatus.Local);
        (await ReceiveAsync(accounts, 5_000, QuotaRule.SomeoneFits, postmaster.Recipients)).ShouldBeNull();
        (await accounts.Directory.UsageAsync(joe, default)).Used.ShouldBe(1_005_000);
    }

    [Fact]
    public async Task Mail_to_an_alias_reaches_a_full_member_while_another_has_room_and_waits_for_a_suspended_one()
    {
        await using var accounts = await OpenAsync();
        var joe = await FillAsync(accounts, 1_000_000);
        var ann = (await accounts.AddAsync("ann@example.com", quota: 10_000)).Account;
        (await accounts.Domains.AddAliasAsync("team@example.com", ["joe@example.com", "ann@example.com"], Actor.System, default))
            .Rejection.ShouldBeNull();
        var team = await accounts.Directory.ResolveAsync("team", "example.com", 9_000, default);
        team.Recipients.Select(recipient => recipient.Account).ShouldBe([joe, ann]);
        (await ReceiveAsync(accounts, 9_000, QuotaRule.SomeoneFits, team.Recipients)).ShouldBeNull();
        (await accounts.Directory.UsageAsync(joe, default)).Used.ShouldBe(1_009_000);

        (await accounts.Directory.ResolveAsync("team", "example.com", 9_000, default)).Status.ShouldBe(RecipientStatus.OverQuota);
        await accounts.Accounts.SuspendAsync("ann@example.com", null, Actor.System, default);
        (await accounts.Directory.ResolveAsync("team", "example.com", 100, default)).Status.ShouldBe(RecipientStatus.Suspended);
    }

    // Other than the seed says, nothing is added for overhead: docs/decisions/0016-where-the-requirements-disagree.md.
    [Fact]
    public async Task U006_Given_many_messages_the_quota_used_is_the_sum_of_their_octets_also_when_it_is_computed_anew()
    {
        await using var accounts = await OpenAsync();
        var joe = "";
        for (var i = 0; i < 100; i++)
            joe = await FillAsync(accounts, 9_500);
        (await accounts.Directory.UsageAsync(joe, default)).ShouldBe(new QuotaUsage(950_000, Quota, 100));
        await accounts.RestartAsync();
        (await accounts.Directory.UsageAsync(joe, default)).ShouldBe(new QuotaUsage(950_000, Quota, 100));
    }

    [Fact]
    public async Task U006_The_default_quota_is_one_gibibyte()
    {
        await using var accounts = await TestAccounts.OpenAsync(defaultQuota: AccountLimits.DefaultQuota);
        var joe = await accounts.AddAsync("joe@example.com");
        (await accounts.Directory.UsageAsync(joe.Account, default)).ShouldBe(new QuotaUsage(0, 1_073_741_824));
    }

    [Fact]
    public async Task A_new_limit_holds_at_once()
    {
        await using var accounts = await OpenAsync();
        await FillAsync(accounts, 500_000);
        await accounts.Accounts.SetQuotaAsync("joe@example.com", 400_000, Actor.System, default);
        (await StatusAsync(accounts, 0)).ShouldBe(RecipientStatus.OverQuota);
    }

    [Fact]
    public async Task A_limit_of_messages_holds_at_RCPT_for_deliveries_APPEND_and_COPY_and_not_for_a_move()
    {
        await using var accounts = await OpenAsync();
        var joe = await FillAsync(accounts, 100);
        await FillAsync(accounts, 100);
        await LimitMessagesAsync(accounts, 3);
        (await accounts.Directory.UsageAsync(joe, default)).ShouldBe(new QuotaUsage(200, Quota, 2, 3));
        (await StatusAsync(accounts, 0)).ShouldBe(RecipientStatus.Local);
        using var inbox = (await accounts.First.Mailboxes.OpenAsync(joe, "INBOX", default)).Value!;
        (await CopyAsync(accounts, inbox, "1:2", move: false)).ShouldBe(Rejection.OverQuota);
        (await CopyAsync(accounts, inbox, "1", move: false)).ShouldBeNull();

        (await StatusAsync(accounts, 0)).ShouldBe(RecipientStatus.OverQuota);
        (await AppendAsync(accounts, joe, 100)).ShouldBe(Rejection.OverQuota);
        (await CopyAsync(accounts, inbox, "1", move: false)).ShouldBe(Rejection.OverQuota);
        (await CopyAsync(accounts, inbox, "1:2", move: true)).ShouldBeNull();
        // Whoever has no room for one message more is never given one beyond the limit.
        await accounts.AddAsync("ann@example.com", quota: Quota);
        (await ReceiveAsync(accounts, 100, QuotaRule.EveryoneFits, "joe", "ann")).ShouldBe(Rejection.OverQuota);
        (await ReceiveAsync(accounts, 100, QuotaRule.SomeoneFits, "joe", "ann")).ShouldBe(Rejection.FullMeanwhile);
        (await ReceiveAsync(accounts, 100, QuotaRule.SomeoneFits, "joe")).ShouldBe(Rejection.OverQuota);
        (await accounts.Directory.UsageAsync(joe, default)).Messages.ShouldBe(3);
        accounts.Log.Lines.ShouldContain(line => line.Text ==
            $"Quota exceeded - message rejected (user_id {joe}, email joe@example.com, used_messages 3, limit_messages 3)");

        await LimitMessagesAsync(accounts, null);
        (await StatusAsync(accounts, 0)).ShouldBe(RecipientStatus.Local);
        (await ReceiveAsync(accounts, 100, QuotaRule.SomeoneFits, "joe")).ShouldBeNull();
    }

    [Fact]
    public async Task Of_many_messages_at_once_as_many_are_kept_as_the_limit_says()
    {
        await using var accounts = await OpenAsync();
        await LimitMessagesAsync(accounts, 3);
        var joe = (await accounts.Directory.FindAsync("joe@example.com", default))!.Account;
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => AppendAsync(accounts, joe, 100)));
        answers.Count(answer => answer is null).ShouldBe(3);
        answers.Count(answer => answer == Rejection.OverQuota).ShouldBe(7);
    }

    [Fact]
    public async Task A_limit_of_messages_is_one_event_comes_back_with_a_start_and_is_in_the_accounts_row()
    {
        await using var accounts = await OpenAsync();
        await FillAsync(accounts, 100);
        await LimitMessagesAsync(accounts, 1);
        await LimitMessagesAsync(accounts, 1);
        (await accounts.EventsAsync("message_limit_set")).Count.ShouldBe(1);
        (await accounts.EventsAsync("quota_limit_set")).ShouldBeEmpty();
        await accounts.RestartAsync();
        var joe = (await accounts.Directory.FindAsync("joe@example.com", default))!;
        joe.MessageLimit.ShouldBe(1);
        (await accounts.Directory.UsageAsync(joe.Account, default)).ShouldBe(new QuotaUsage(100, Quota, 1, 1));
        (await AppendAsync(accounts, joe.Account, 100)).ShouldBe(Rejection.OverQuota);
        (await new DirectoryQueries(accounts.Events.DataSource).AccountAsync(joe.Account, default))!.MessageLimit.ShouldBe(1);
        (await accounts.Accounts.SetQuotaAsync("joe@example.com", now => now with { Messages = -1 }, Actor.System, default))
            .Rejection!.Kind.ShouldBe(RejectionKind.Invalid);
    }

    private static async Task LimitMessagesAsync(TestAccounts accounts, long? limit) =>
        (await accounts.Accounts.SetQuotaAsync("joe@example.com", now => now with { Messages = limit }, Actor.System, default))
            .Rejection.ShouldBeNull();

    private static async Task<Rejection?> CopyAsync(TestAccounts accounts, OpenMailbox source, string uids, bool move) =>
        (await accounts.First.Mailboxes.CopyAsync(source, UidSet.Parse(uids), "Archive", move, Actor.System, null, default)).Rejection;

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
        (await AppendAsync(accounts, joe, bytes)).ShouldBeNull();
        return joe;
    }

    private static async Task<StagedContent> MessageAsync(TestAccounts accounts, int bytes)
    {
        const string header = "Subject: filling\r\n\r\n";
        await using var message = IncomingMessage.Begin(accounts.Events.Contents);
        await message.WriteAsync(Encoding.ASCII.GetBytes(header + new string('x', bytes - header.Length)), default);
        return await message.CompleteAsync(mayExist: false, default);
    }

    private static async Task<Rejection?> ReceiveAsync(TestAccounts accounts, int bytes, QuotaRule rule, params string[] names)
    {
        var recipients = new List<LocalRecipient>();
        foreach (var name in names)
            recipients.Add(new((await accounts.Directory.FindAsync($"{name}@example.com", default))!.Account, name, name));
        return await ReceiveAsync(accounts, bytes, rule, recipients);
    }

    private static async Task<Rejection?> ReceiveAsync(
        TestAccounts accounts, int bytes, QuotaRule rule, IReadOnlyList<LocalRecipient> recipients) =>
        (await accounts.First.Mailboxes.Arrivals.ReceiveAsync(
            recipients, await MessageAsync(accounts, bytes), "a@example.net", null, rule, Actor.System, null, default)).Rejection;

    private static async Task<Rejection?> AppendAsync(TestAccounts accounts, string account, int bytes)
    {
        var staged = await MessageAsync(accounts, bytes);
        return (await accounts.First.Mailboxes.AppendAsync(
            account, "INBOX", staged, [], DateTimeOffset.UtcNow, Actor.System, null, default)).Rejection;
    }
}
