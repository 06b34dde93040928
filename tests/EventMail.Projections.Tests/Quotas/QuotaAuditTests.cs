using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Quotas;
using EventMail.Projections.Tests.Accounts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EventMail.Projections.Tests.Quotas;

/// <summary>The kept totals: what moves them, how they come back, and what happens when one is wrong.</summary>
public sealed class QuotaAuditTests
{
    [Fact]
    public async Task The_total_follows_every_change_of_every_mailbox()
    {
        await using var accounts = await Filling.OpenAsync();
        var joe = await Filling.JoeAsync(accounts);
        (await KeptAsync(accounts, joe)).ShouldBe("0 0");
        var mailboxes = accounts.First.Mailboxes;
        await Filling.AppendAsync(accounts.First, joe, 1_000);
        await Filling.AppendAsync(accounts.First, joe, 2_000);
        await mailboxes.CreateAsync(joe, "Work", null, Actor.System, null, default);
        using (var inbox = (await mailboxes.OpenAsync(joe, "INBOX", default)).Value!)
        {
            await mailboxes.CopyAsync(inbox, UidSet.Of(1), "Work", false, Actor.System, null, default);
            (await KeptAsync(accounts, joe)).ShouldBe("4000 3");
            await mailboxes.CopyAsync(inbox, UidSet.Of(2), "Work", true, Actor.System, null, default);
            (await KeptAsync(accounts, joe)).ShouldBe("4000 3");
            await mailboxes.RemoveAsync(inbox, UidSet.Of(1), Actor.System, null, default);
        }
        (await KeptAsync(accounts, joe)).ShouldBe("3000 2");
        (await mailboxes.DeleteAsync(joe, "Work", Actor.System, null, default)).Rejection.ShouldBeNull();
        (await KeptAsync(accounts, joe)).ShouldBe("0 0");
        await Filling.AppendAsync(accounts.First, joe, 500);
        await accounts.Accounts.CloseAsync(Filling.Joe, Actor.System, default);
        (await KeptAsync(accounts, joe)).ShouldBe("0 0");
        await Filling.ShouldBeRightAsync(accounts);
    }

    [Fact]
    public async Task The_totals_come_back_from_the_log()
    {
        await using var accounts = await Filling.OpenAsync();
        var joe = await Filling.JoeAsync(accounts);
        await accounts.AddAsync("empty@example.com");
        await Filling.AppendAsync(accounts.First, joe, 1_000);
        await Filling.AppendAsync(accounts.First, joe, 2_000, "Archive");
        await accounts.RunAsync("drop table projections.quota");
        await accounts.RestartAsync();
        (await KeptAsync(accounts, joe)).ShouldBe("3000 2");
        (await accounts.ScalarAsync<long>("select count(*) from projections.quota")).ShouldBe(2);
        await accounts.RunAsync("drop schema projections cascade");
        await accounts.RestartAsync();
        (await KeptAsync(accounts, joe)).ShouldBe("3000 2");
        await Filling.ShouldBeRightAsync(accounts);
    }

    // Other than the seed says, nothing is added for overhead: docs/decisions/0016-where-the-requirements-disagree.md.
    [Fact]
    public async Task U006_Given_many_messages_when_recalculation_is_triggered_the_total_is_computed_from_the_log()
    {
        await using var accounts = await Filling.OpenAsync();
        var joe = await Filling.JoeAsync(accounts);
        for (var i = 0; i < 100; i++)
            await Filling.AppendAsync(accounts.First, joe, 9_500, i % 2 == 0 ? "INBOX" : "Archive");
        (await accounts.First.Audit.VerifyAsync(joe, Actor.System, default)).Value.ShouldBe(new QuotaVerified(950_000, 100, 950_000, 100));
        (await accounts.EventsAsync("quota_drift_found")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_total_that_is_wrong_is_an_alarm_in_the_log_of_events_and_of_the_server_and_is_put_right()
    {
        await using var accounts = await Filling.OpenAsync();
        var joe = await Filling.JoeAsync(accounts);
        await Filling.AppendAsync(accounts.First, joe, 10_000);
        await accounts.RunAsync("update projections.quota set bytes = bytes + 700, messages = messages - 1");
        var verified = (await accounts.First.Audit.VerifyAsync(joe, Actor.System, default)).Value!;
        verified.ShouldBe(new QuotaVerified(10_700, 0, 10_000, 1));
        verified.IsRight.ShouldBeFalse();
        (await KeptAsync(accounts, joe)).ShouldBe("10000 1");
        (await accounts.EventsAsync("quota_drift_found")).ShouldHaveSingleItem().Data.ShouldBe(new QuotaDriftFound(10_700, 0, 10_000, 1));
        accounts.Log.Lines.ShouldContain(line => line.Level == LogLevel.Critical && line.Text ==
            $"ALERT: Quota drift found and repaired (user_id {joe}, email joe@example.com, kept_bytes 10700, kept_messages 0, used_bytes 10000, used_messages 1)");
        (await accounts.First.Audit.VerifyAsync(joe, Actor.System, default)).Value!.IsRight.ShouldBeTrue();

        // The repair is of the row alone: built again from the log it is the same.
        await accounts.RunAsync("drop table projections.quota");
        await accounts.RestartAsync();
        (await KeptAsync(accounts, joe)).ShouldBe("10000 1");
    }

    [Fact]
    public async Task Two_nodes_that_find_the_same_drift_put_it_right_once_also_while_mail_arrives()
    {
        await using var accounts = await Filling.OpenAsync();
        var second = await accounts.AddNodeAsync();
        var joe = await Filling.JoeAsync(accounts);
        await Filling.AppendAsync(accounts.First, joe, 10_000);
        await accounts.RunAsync("update projections.quota set bytes = bytes - 400");
        var arriving = Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
                (await Filling.AppendAsync(accounts.First, joe, 1_000)).ShouldBeNull();
        });
        var found = await Task.WhenAll(
            accounts.First.Audit.VerifyAsync(joe, Actor.System, default), second.Audit.VerifyAsync(joe, Actor.System, default));
        await arriving;
        found.ShouldAllBe(answer => answer.Rejection == null);
        found.Count(answer => !answer.Value!.IsRight).ShouldBe(1);
        (await accounts.EventsAsync("quota_drift_found")).Count.ShouldBe(1);
        (await KeptAsync(accounts, joe)).ShouldBe("30000 21");
    }

    [Fact]
    public async Task All_accounts_are_verified_now_and_then()
    {
        await using var accounts = await Filling.OpenAsync();
        await accounts.AddAsync("ann@example.com");
        var joe = await Filling.JoeAsync(accounts);
        await Filling.AppendAsync(accounts.First, joe, 10_000);
        await accounts.RunAsync("update projections.quota set bytes = bytes + 1");
        await using var watch = accounts.First.Watch();
        await using var audits = new QuotaAudits(
            accounts.Events, accounts.First.Audit, watch, TimeSpan.FromMilliseconds(50), TimeProvider.System, NullLoggerFactory.Instance);
        await TestAccounts.EventuallyAsync(async () => (await accounts.EventsAsync("quota_drift_found")).Count == 2);
        await Filling.ShouldBeRightAsync(accounts);
    }

    [Fact]
    public async Task Nobody_s_total_is_not_verified()
    {
        await using var accounts = await Filling.OpenAsync();
        (await accounts.First.Audit.VerifyAsync("nobody", Actor.System, default)).Rejection.ShouldBe(Rejection.AccountMissing);
    }

    private static async Task<string> KeptAsync(TestAccounts accounts, string account) =>
        await accounts.ScalarAsync<string>($"select bytes || ' ' || messages from projections.quota where tenant_id = '{account}'");
}
