using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;
using static EventMail.Projections.Tests.Mailboxes.Comparisons;

namespace EventMail.Projections.Tests.Mailboxes;

public class NodesTests
{
    private const string Account = "aaaaaaaa";

    [Fact]
    public async Task A_session_is_woken_by_another_nodes_delivery_even_when_the_cache_is_full()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var one = await MailNode.StartAsync(database);
        await one.AddAccountAsync(Account);
        await using var two = await MailNode.StartAsync(database, cacheWeight: 2);
        using var inbox = await two.OpenAsync(Account, "INBOX");
        // What would push it out of the cache.
        foreach (var name in new[] { "Sent", "Trash", "Drafts", "Spam", "Archive" })
        {
            (await two.OpenAsync(Account, name)).Dispose();
            (await two.OpenAsync(Account, name)).Dispose();
        }
        var woken = 0;
        inbox.Changed += () => Interlocked.Increment(ref woken);
        for (var i = 1; i <= 3; i++)
            await one.ReceiveAsync(i, Account);
        await ShouldBecomeAsync(() => inbox.View.Count == 3);
        woken.ShouldBeGreaterThan(0);
        using var there = await one.OpenAsync(Account, "INBOX");
        inbox.View.ShouldShow(there.View);
    }

    [Fact]
    public async Task Opening_shows_what_another_node_has_just_committed()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var one = await MailNode.StartAsync(database);
        await one.AddAccountAsync(Account);
        await using var two = await MailNode.StartAsync(database);
        for (var i = 1; i <= 20; i++)
        {
            await one.ReceiveAsync(i, Account);
            using var inbox = await two.OpenAsync(Account, "INBOX");
            inbox.View.Count.ShouldBe(i);
            (await two.Mailboxes.FindAsync(Account, "INBOX", default)).Value!.Messages.ShouldBe(i);
        }
    }

    [Fact]
    public async Task What_is_delivered_while_a_mailbox_is_being_opened_is_not_missed()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database, cacheWeight: 1);
        await node.AddAccountAsync(Account);
        for (var i = 1; i <= 60; i++)
        {
            var number = i;
            var receiving = Task.Run(() => node.ReceiveAsync(number, Account));
            using var inbox = await node.OpenAsync(Account, "INBOX");
            await receiving;
            inbox.View.Count.ShouldBe(i);
            // Something else takes the place in the cache.
            await node.Mailboxes.FindAsync(Account, "Sent", default);
        }
    }

    [Fact]
    public void A_live_mailbox_that_is_found_deleted_keeps_its_last_view()
    {
        var live = new LiveMailbox(new(Account, Guid.CreateVersion7()));
        var state = MailboxState.Empty.Evolve(new MailboxCreated("x", 7, null), 1, default);
        live.Offer(state);
        live.Offer(state.Evolve(new MailboxDeleted("x", 0, 0), 2, default) with { View = null });
        live.State!.Deleted.ShouldBeTrue();
        live.State.View.ShouldNotBeNull().Count.ShouldBe(0);
    }

    [Fact]
    public async Task Names_made_and_removed_by_another_node_are_seen_while_it_is_there_and_after()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var one = await MailNode.StartAsync(database);
        await one.AddAccountAsync(Account);
        (await one.Mailboxes.ListAsync(Account, default)).Count.ShouldBe(6);
        await using (var two = await MailNode.StartAsync(database))
        {
            (await two.Mailboxes.CreateAsync(Account, "theirs", null, MailNode.Someone, "A", default)).Rejection.ShouldBeNull();
            (await one.Mailboxes.FindAsync(Account, "theirs", default)).Value.ShouldNotBeNull();
            (await two.Mailboxes.DeleteAsync(Account, "Spam", MailNode.Someone, "A", default)).Rejection.ShouldBeNull();
            (await one.Mailboxes.FindAsync(Account, "Spam", default)).Value.ShouldBeNull();
            (await one.Mailboxes.CreateAsync(Account, "theirs", null, MailNode.Someone, "A", default)).Rejection
                .ShouldBe(EventMail.Domain.Rejection.MailboxExists);
            await two.Mailboxes.RenameAsync(Account, "theirs", "renamed", MailNode.Someone, "A", default);
        }
        await ShouldBecomeAsync(() => !one.Log.Executor.OthersPresent);
        var names = (await one.Mailboxes.ListAsync(Account, default)).Select(m => m.Name);
        names.ShouldBe(["INBOX", "Archive", "Drafts", "Sent", "Trash", "renamed"]);
    }

    [Fact]
    public async Task Both_nodes_make_the_same_mailbox_and_one_wins()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var one = await MailNode.StartAsync(database);
        await one.AddAccountAsync(Account);
        await using var two = await MailNode.StartAsync(database);
        for (var i = 0; i < 10; i++)
        {
            var name = $"race/{i}";
            var made = await Task.WhenAll(new[] { one, two, one, two }.Select(
                node => node.Mailboxes.CreateAsync(Account, name, null, MailNode.Someone, "A", default)));
            made.Count(m => m.IsOk).ShouldBe(1);
            made.Where(m => !m.IsOk).ShouldAllBe(m => m.Rejection == EventMail.Domain.Rejection.MailboxExists);
        }
        var list = await one.Mailboxes.ListAsync(Account, default);
        list.Select(m => m.UidValidity).Distinct().Count().ShouldBe(list.Count);
    }
}
