using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Tests.Accounts;
using Microsoft.Extensions.Logging;

namespace EventMail.Projections.Tests.Quotas;

/// <summary>Warning marks: an event each time one is passed, and a message each time it is upwards.</summary>
public sealed class QuotaWatchTests
{
    [Fact]
    public async Task U006_Given_80_percent_used_one_event_and_one_warning_mail_say_so()
    {
        await using var accounts = await Filling.OpenAsync();
        await using var watch = accounts.First.Watch();
        var joe = await Filling.JoeAsync(accounts);
        (await Filling.AppendAsync(accounts.First, joe, 800_000)).ShouldBeNull();
        await Filling.EventuallyAsync(accounts, 80);
        var warnings = await WarningsAsync(accounts);
        warnings.Count.ShouldBe(1);
        warnings[0].ShouldStartWith("Return-Path: <>\r\n");
        warnings[0].ShouldContain("From: Mail Delivery System <postmaster@mail.example.com>\r\nTo: <joe@example.com>\r\nSubject: Your mailbox is 80 % full\r\n");
        warnings[0].ShouldContain("\r\nAuto-Submitted: auto-generated\r\n");
        warnings[0].ShouldNotContain("Importance");

        // More mail between the marks says nothing.
        (await Filling.AppendAsync(accounts.First, joe, 50_000)).ShouldBeNull();
        await DoneAsync(accounts);
        (await Filling.MarksAsync(accounts)).ShouldBe([80]);
        (await WarningsAsync(accounts)).Count.ShouldBe(1);
        await Filling.ShouldBeRightAsync(accounts);
    }

    [Fact]
    public async Task U006_Given_97_percent_used_the_highest_mark_passed_is_95_an_urgent_mail_says_so_and_a_log_line()
    {
        await using var accounts = await Filling.OpenAsync();
        await using var watch = accounts.First.Watch();
        (await Filling.AppendAsync(accounts.First, await Filling.JoeAsync(accounts), 970_000)).ShouldBeNull();
        await Filling.EventuallyAsync(accounts, 95);
        var warning = (await WarningsAsync(accounts)).ShouldHaveSingleItem();
        warning.ShouldContain("\r\nSubject: Urgent: your mailbox is 97 % full\r\n");
        warning.ShouldContain("\r\nImportance: high\r\n");
        warning.ShouldContain("Only 29.3 KiB are left.");
        await TestAccounts.EventuallyAsync(() => Task.FromResult(accounts.Log.Lines.Any(line =>
            line.Level == LogLevel.Warning && line.Text.Contains("95") && line.Text.Contains("970000"))));
    }

    [Fact]
    public async Task U006_Given_marks_passed_up_down_and_up_again_each_time_is_an_event_and_each_upwards_a_mail()
    {
        await using var accounts = await Filling.OpenAsync();
        await using var watch = accounts.First.Watch();
        var joe = await Filling.JoeAsync(accounts);
        await Filling.AppendAsync(accounts.First, joe, 700_000, "Archive");
        await Filling.AppendAsync(accounts.First, joe, 120_000, "Archive");
        await Filling.EventuallyAsync(accounts, 80);
        await Filling.AppendAsync(accounts.First, joe, 90_000, "Archive");
        await Filling.EventuallyAsync(accounts, 80, 90);
        await Filling.AppendAsync(accounts.First, joe, 50_000, "Archive");
        await Filling.EventuallyAsync(accounts, 80, 90, 95);
        using (var archive = (await accounts.First.Mailboxes.OpenAsync(joe, "Archive", default)).Value!)
            await accounts.First.Mailboxes.RemoveAsync(archive, UidSet.FromRanges([new(1, 2)]), Actor.System, null, default);
        await Filling.EventuallyAsync(accounts, 80, 90, 95, 0);
        (await WarningsAsync(accounts)).Count.ShouldBe(3);
        await Filling.AppendAsync(accounts.First, joe, 700_000, "Archive");
        await Filling.EventuallyAsync(accounts, 80, 90, 95, 0, 80);
        (await WarningsAsync(accounts)).Count.ShouldBe(4);
        await Filling.ShouldBeRightAsync(accounts);
    }

    [Fact]
    public async Task U006_Given_a_mark_reached_exactly_it_is_passed_and_the_mail_to_a_full_account_is_not_refused()
    {
        await using var accounts = await Filling.OpenAsync();
        await using var watch = accounts.First.Watch();
        var joe = await Filling.JoeAsync(accounts);
        (await Filling.AppendAsync(accounts.First, joe, 799_999)).ShouldBeNull();
        await DoneAsync(accounts);
        (await Filling.MarksAsync(accounts)).ShouldBeEmpty();
        (await Filling.AppendAsync(accounts.First, joe, 200_001)).ShouldBeNull();
        await Filling.EventuallyAsync(accounts, 100);
        (await WarningsAsync(accounts)).ShouldHaveSingleItem().ShouldContain("\r\nSubject: Urgent: your mailbox is full\r\n");
        (await accounts.Directory.UsageAsync(joe, default)).Used.ShouldBeGreaterThan(Filling.Quota);
        (await Filling.AppendAsync(accounts.First, joe, 100)).ShouldNotBeNull();
    }

    [Fact]
    public async Task U006_Given_two_nodes_that_fill_one_account_each_mark_is_one_event_and_one_mail()
    {
        await using var accounts = await Filling.OpenAsync();
        var second = await accounts.AddNodeAsync();
        await TestAccounts.EventuallyAsync(() => Task.FromResult(accounts.Events.Executor.OthersPresent && second.Log.Executor.OthersPresent));
        await using var one = accounts.First.Watch();
        await using var other = second.Watch();
        var joe = await Filling.JoeAsync(accounts);
        // Each in a mailbox of its own: neither hears of the other's messages by itself.
        var answers = await Task.WhenAll(
            FillAsync(accounts.First, joe, "Archive", 16), FillAsync(second, joe, "Sent", 16));
        answers.ShouldAllBe(taken => taken == 16);
        await Filling.EventuallyAsync(accounts, [.. await SettledAsync(accounts)]);
        var marks = await Filling.MarksAsync(accounts);
        marks[^1].ShouldBe(95);
        marks.ShouldBe(marks.Order().Distinct());
        (await WarningsAsync(accounts)).Count.ShouldBe(marks.Count);
        await Filling.ShouldBeRightAsync(accounts);

        async Task<int> FillAsync(TestAccounts.Node node, string account, string mailbox, int messages)
        {
            var taken = 0;
            for (var i = 0; i < messages; i++)
                taken += await Filling.AppendAsync(node, account, 30_000, mailbox) is null ? 1 : 0;
            return taken;
        }
    }

    [Fact]
    public async Task A_lower_limit_passes_marks_too()
    {
        await using var accounts = await Filling.OpenAsync();
        await using var watch = accounts.First.Watch();
        await Filling.AppendAsync(accounts.First, await Filling.JoeAsync(accounts), 500_000);
        await accounts.Accounts.SetQuotaAsync(Filling.Joe, 600_000, Actor.System, default);
        await Filling.EventuallyAsync(accounts, 80);
        await accounts.Accounts.SetQuotaAsync(Filling.Joe, 2_000_000, Actor.System, default);
        await Filling.EventuallyAsync(accounts, 80, 0);
    }

    [Fact]
    public async Task Watching_ends_with_the_watch_and_a_mark_missed_meanwhile_is_noted_with_the_next_message()
    {
        await using var accounts = await Filling.OpenAsync();
        var joe = await Filling.JoeAsync(accounts);
        await Filling.AppendAsync(accounts.First, joe, 850_000);
        await using (accounts.First.Watch())
        {
            await Filling.AppendAsync(accounts.First, joe, 1_000);
            await Filling.EventuallyAsync(accounts, 80);
        }

        await Filling.AppendAsync(accounts.First, joe, 100_000);
        (await Filling.MarksAsync(accounts)).ShouldBe([80]);
    }

    // What the watch has in hand is looked at in order: a mark of another account is behind it.
    private static async Task DoneAsync(TestAccounts accounts)
    {
        var behind = (await accounts.AddAsync($"behind{Guid.NewGuid():N}@example.com", quota: 10_000)).Account;
        (await Filling.AppendAsync(accounts.First, behind, 8_500)).ShouldBeNull();
        await TestAccounts.EventuallyAsync(async () => (await Filling.MarksAsync(accounts, behind)).Count > 0);
    }

    private static async Task<List<int>> SettledAsync(TestAccounts accounts)
    {
        await TestAccounts.EventuallyAsync(async () => (await Filling.MarksAsync(accounts)) is [.., 95]);
        return await Filling.MarksAsync(accounts);
    }

    private static async Task<List<string>> WarningsAsync(TestAccounts accounts)
    {
        var warnings = new List<string>();
        var joe = await Filling.JoeAsync(accounts);
        foreach (var e in await accounts.EventsAsync("message_received"))
        {
            var received = (MessageReceived)e.Data;
            if (e.Stream.Tenant == joe && received.ReversePath.Length == 0)
            {
                await using var content = await accounts.Events.Contents.ReadAsync(received.Content.Number);
                using var reader = new StreamReader(content.OpenRead());
                warnings.Add(await reader.ReadToEndAsync());
            }
        }
        return warnings;
    }
}
