using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Tests.Accounts;
using static EventMail.Projections.Tests.Mailboxes.Comparisons;

namespace EventMail.Projections.Tests.Mailboxes;

/// <summary>Access control lists over replays, several nodes and closed accounts.</summary>
public class SharedMailboxTests
{
    private const string Alice = "aaaaaaaa";
    private const string Bob = "bbbbbbbb";
    private const string Inbox = $"Other Users/{Alice}@example.test/INBOX";

    private static async Task SetAsync(MailNode node, string identifier, string rights, string mailbox = "INBOX")
    {
        RightsText.TryParse(rights, out var parsed, out _).ShouldBeTrue();
        var done = await node.Mailboxes.Access.SetAsync(Alice, mailbox, identifier, RightsMode.Replace, parsed, MailNode.Someone, "1", default);
        done.Rejection.ShouldBeNull();
    }

    private static async Task<string> SeenByAsync(MailNode node, string account) => string.Join(
        "; ", (await node.Mailboxes.ListAsync(account, default))
            .Where(m => m.Name.StartsWith("Other", StringComparison.Ordinal))
            .Select(m => $"{m.Name} {RightsText.Of(m.Rights)} {m.Messages}"));

    [Fact]
    public async Task What_is_shared_comes_back_when_the_read_models_are_built_again()
    {
        await using var database = await MailNode.DatabaseAsync();
        string seen;
        MailboxState header;
        StreamKey key;
        await using (var node = await MailNode.StartAsync(database))
        {
            await node.AddAccountAsync(Alice);
            await node.AddAccountAsync(Bob);
            await node.ReceiveAsync(1, Alice);
            await SetAsync(node, $"{Bob}@example.test", "lrs");
            await SetAsync(node, "anyone", "l", "Archive");
            await SetAsync(node, $"-{Bob}@example.test", "s");
            await SetAsync(node, $"{Bob}@example.test", "lr", "Sent");
            await SetAsync(node, $"{Bob}@example.test", "", "Sent");
            seen = await SeenByAsync(node, Bob);
            seen.ShouldBe($"Other Users  0; Other Users/{Alice}@example.test  0; {Inbox} lr 1; Other Users/{Alice}@example.test/Archive l 0");
            using var open = await node.OpenAsync(Alice, "INBOX");
            key = open.Key;
            header = await node.FoldAsync(key);
        }
        await using (var source = Npgsql.NpgsqlDataSource.Create(database.ConnectionString))
        await using (var drop = source.CreateCommand("drop schema projections cascade"))
            await drop.ExecuteNonQueryAsync();
        await using (var node = await MailNode.StartAsync(database))
        {
            (await SeenByAsync(node, Bob)).ShouldBe(seen);
            var state = (MailboxState)(await node.Log.Executor.StateAsync(MailboxKind.Stream(key), default)).State;
            state.Acl.ShouldBe(header.Acl);
            state.Acl.ToString().ShouldBe($"-{Bob} =s {Bob} =lrs");
        }
    }

    [Fact]
    public async Task A_list_comes_back_with_a_persisted_view()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using (var node = await MailNode.StartAsync(database))
        {
            await node.AddAccountAsync(Alice);
            await node.AddAccountAsync(Bob);
            await SetAsync(node, $"{Bob}@example.test", "lrs");
            for (var i = 1; i <= 20; i++)
                await node.ReceiveAsync(i, Alice);
            (await node.OpenAsync(Alice, "INBOX")).Dispose();
        }
        await using var again = await MailNode.StartAsync(database);
        using var open = await again.OpenAsync(Bob, Inbox);
        open.Name.ShouldBe(Inbox);
        open.Rights.ShouldBe(Rights.Lookup | Rights.Read | Rights.Seen);
        open.View.Count.ShouldBe(20);
    }

    [Fact]
    public async Task Two_nodes_agree_on_who_may_do_what()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var one = await MailNode.StartAsync(database);
        await one.AddAccountAsync(Alice);
        await one.AddAccountAsync(Bob);
        await one.ReceiveAsync(1, Alice);
        await using var two = await MailNode.StartAsync(database);
        (await SeenByAsync(two, Bob)).ShouldBe("");
        for (var round = 0; round < 5; round++)
        {
            await SetAsync(one, $"{Bob}@example.test", "lrswte");
            (await SeenByAsync(two, Bob)).ShouldContain(Inbox + " lrswte 1");
            using var open = await two.OpenAsync(Bob, Inbox);
            await two.StoreAsync(open, "1", round % 2 == 0 ? StoreMode.Add : StoreMode.Remove, @"\Seen");
            // Withdrawn on the one, and used on the other at once: decided on the stream's latest version.
            await SetAsync(one, $"{Bob}@example.test", "lr");
            var stored = await two.Mailboxes.StoreAsync(
                open, UidSet.Of(1), StoreMode.Replace, [@"\Flagged", $"round{round}"], null, MailNode.Someone, "2", default);
            stored.Rejection.ShouldBe(Rejection.NoPermission);
            await ShouldBecomeAsync(() => open.Rights == (Rights.Lookup | Rights.Read));
            await SetAsync(one, $"{Bob}@example.test", "");
            (await two.Mailboxes.OpenAsync(Bob, Inbox, default)).Rejection.ShouldBe(Rejection.MailboxMissing);
            (await SeenByAsync(two, Bob)).ShouldBe("");
            await ShouldBecomeAsync(() => !open.MayRead);
        }
    }

    [Fact]
    public async Task What_is_copied_to_another_account_is_its_own()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(
            database, quota: (_, account, _, _) => new(0, account == Alice ? 0 : long.MaxValue));
        await node.AddAccountAsync(Alice);
        await node.AddAccountAsync(Bob);
        await node.AppendAsync(Bob, "INBOX", 1, @"\Seen");
        await SetAsync(node, $"{Bob}@example.test", "lrite");
        using var own = await node.OpenAsync(Bob, "INBOX");
        // The owner's quota, whoever fills it, and for a move, too.
        foreach (var move in new[] { false, true })
        {
            var refused = await node.Mailboxes.CopyAsync(own, UidSet.Of(1), Inbox, move, MailNode.Someone, "1", default);
            refused.Rejection.ShouldBe(Rejection.OverQuota);
        }
        (await node.Mailboxes.AppendAsync(
            Bob, Inbox, await node.MessageAsync(MailNode.Text(2)), [], DateTimeOffset.UnixEpoch, MailNode.Someone, "2", default))
            .Rejection.ShouldBe(Rejection.OverQuota);
        (await node.AppendAsync(Bob, "INBOX", 3)).ShouldBe(2u);
        own.View.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Rights_do_not_pass_to_whoever_gets_the_address_next()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        var alice = await accounts.AddAsync("alice@example.org");
        await accounts.AddAsync("bob@example.org");
        var mailboxes = accounts.First.Mailboxes;
        var given = await mailboxes.Access.SetAsync(
            alice.Account, "INBOX", "Bob", RightsMode.Replace, Rights.All, Actor.System, null, default);
        given.Rejection.ShouldBeNull();
        (await ListAsync()).ShouldBe(["alice@example.org", "bob@example.org"]);
        (await accounts.Accounts.CloseAsync("bob@example.org", Actor.System, default)).Rejection.ShouldBeNull();
        var next = await accounts.AddAsync("bob@example.org");
        (await ListAsync()).ShouldBe(["alice@example.org"]);
        (await mailboxes.OpenAsync(next.Account, "Other Users/alice@example.org/INBOX", default)).Rejection.ShouldBe(Rejection.MailboxMissing);
        (await mailboxes.ListAsync(next.Account, default)).ShouldAllBe(m => !m.Name.StartsWith("Other"));

        async Task<IEnumerable<string>> ListAsync() =>
            (await mailboxes.Access.ListAsync(alice.Account, "INBOX", default)).Value!.Select(entry => entry.Identifier);
    }

    [Fact]
    public async Task What_a_closed_account_shared_is_gone()
    {
        await using var accounts = await TestAccounts.OpenAsync();
        var alice = await accounts.AddAsync("alice@example.org");
        var bob = await accounts.AddAsync("bob@example.org");
        var mailboxes = accounts.First.Mailboxes;
        (await mailboxes.Access.SetAsync(alice.Account, "INBOX", "anyone", RightsMode.Add, Rights.All, Actor.System, null, default))
            .Rejection.ShouldBeNull();
        (await mailboxes.ListAsync(bob.Account, default)).ShouldContain(m => m.Name == "Other Users/alice@example.org/INBOX");
        (await accounts.Accounts.CloseAsync("alice@example.org", Actor.System, default)).Rejection.ShouldBeNull();
        (await mailboxes.ListAsync(bob.Account, default)).ShouldAllBe(m => !m.Name.StartsWith("Other"));
    }

    [Fact]
    public async Task A_list_has_so_many_entries_and_no_more()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Alice);
        for (var i = 0; i < MailboxLimits.MaxAclEntries; i++)
            await SetAsync(node, $"{i:d8}@example.test", "l");
        var more = await node.Mailboxes.Access.SetAsync(
            Alice, "INBOX", "zzzzzzzz@example.test", RightsMode.Add, Rights.Read, MailNode.Someone, "1", default);
        more.Rejection!.Kind.ShouldBe(RejectionKind.Limit);
        await SetAsync(node, "00000007@example.test", "lr");
        await SetAsync(node, "00000007@example.test", "");
        await SetAsync(node, "zzzzzzzz@example.test", "r");
    }

    [Fact]
    public async Task A_watch_is_woken_for_what_its_viewer_may_see_and_asks_for()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Alice);
        await node.AddAccountAsync(Bob);
        await SetAsync(node, $"{Bob}@example.test", "lr", "Archive");
        var woken = 0;
        using var watch = node.Mailboxes.Watch(Bob, "bob's", 100, () => woken++);
        var list = await node.Mailboxes.ListAsync(watch, default);
        var archive = list.Single(m => m.Name.EndsWith("/Archive", StringComparison.Ordinal)).Id;
        var trash = list.Single(m => m.Name == "Trash").Id;

        await node.AppendAsync(Alice, "INBOX", 1);
        await node.AppendAsync(Alice, "Sent", 2);
        (woken, watch.Take()).ShouldBe((0, null));
        await node.AppendAsync(Alice, "Archive", 3);
        await node.AppendAsync(Bob, "Trash", 4);
        woken.ShouldBe(2);
        watch.Take()!.Mailboxes.Keys.Order().ShouldBe(new[] { archive, trash }.Order());

        watch.Ignore(new HashSet<Guid> { archive, trash });
        await node.AppendAsync(Alice, "Archive", 5);
        await node.AppendAsync(Bob, "Trash", 6);
        (woken, watch.Take()).ShouldBe((2, null));
        // What is called otherwise may be asked for.
        (await node.Mailboxes.RenameAsync(Bob, "Trash", "Bin", MailNode.Someone, "1", default)).Rejection.ShouldBeNull();
        watch.Take()!.Mailboxes.Keys.ShouldBe([trash]);
        await node.AppendAsync(Bob, "Bin", 7);
        watch.Take()!.Mailboxes.Keys.ShouldBe([trash]);
        woken.ShouldBe(4);

        // Who is shut out hears that, and nothing more.
        await SetAsync(node, $"{Bob}@example.test", "", "Archive");
        watch.Take()!.Mailboxes.Keys.ShouldBe([archive]);
        await node.AppendAsync(Alice, "Archive", 8);
        watch.Take().ShouldBeNull();
    }

    [Fact]
    public async Task A_watch_of_ones_own_doings_is_not_woken()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Alice);
        using var others = node.Mailboxes.Watch(Alice, "another session", 1, wake: null);
        using var own = node.Mailboxes.Watch(Alice, MailNode.Someone.SessionId, 1, wake: null);
        await node.AppendAsync(Alice, "INBOX", 1);
        await node.AppendAsync(Alice, "Sent", 2);
        others.Take().ShouldBeNull();
        own.Take()!.Mailboxes.Values.Select(mark => mark.OwnUids.ToString()).ShouldBe(["1", "1"]);
    }

    [Fact]
    public async Task Only_children_that_one_may_look_up_are_children()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Alice);
        await node.AddAccountAsync(Bob);
        (await node.Mailboxes.CreateAsync(Alice, "Archive/2020", null, MailNode.Someone, "1", default)).Rejection.ShouldBeNull();
        await SetAsync(node, $"{Bob}@example.test", "lr", "Archive");
        const string shared = $"Other Users/{Alice}@example.test/Archive";
        (await node.Mailboxes.FindAsync(Bob, shared, default)).Value!.HasChildren.ShouldBeFalse();
        (await node.Mailboxes.FindAsync(Alice, "Archive", default)).Value!.HasChildren.ShouldBeTrue();
        await SetAsync(node, $"{Bob}@example.test", "l", "Archive/2020");
        (await node.Mailboxes.FindAsync(Bob, shared, default)).Value!.HasChildren.ShouldBeTrue();
    }

    [Fact]
    public async Task Mailboxes_from_before_the_namespace_are_listed_once_and_get_another_name()
    {
        await using var database = await MailNode.DatabaseAsync();
        await using var node = await MailNode.StartAsync(database);
        await node.AddAccountAsync(Alice);
        await node.AddAccountAsync(Bob);
        await SetAsync(node, $"{Bob}@example.test", "lr");
        await SetAsync(node, $"{Bob}@example.test", "lr", "Sent");
        // CREATE refuses such names now.
        (await node.Mailboxes.CreateAsync(Bob, "Other Users/notes", null, MailNode.Someone, "1", default)).Rejection.ShouldNotBeNull();
        uint validity = 1;
        foreach (var name in new[] { "Other Users/notes", "Other Users/notes/old", Inbox })
        {
            var made = new NewMailbox(new(Bob, Guid.CreateVersion7()), name, validity++, null);
            (await node.Log.Executor.ExecuteAsync(new CreateCommand(new([made], null), EventMetadata.System), default)).Rejection.ShouldBeNull();
        }
        await node.AppendAsync(Bob, "Other Users/notes", 1);

        var names = (await node.Mailboxes.ListAsync(Bob, default)).Select(m => m.Name).ToList();
        names.ShouldBeUnique();
        names.ShouldContain($"Other Users/{Alice}@example.test/Sent");
        await RenameAsync("Other Users/notes", "notes");
        (await node.Mailboxes.FindAsync(Bob, "notes", default)).Value!.Messages.ShouldBe(1);
        (await node.Mailboxes.FindAsync(Bob, "notes/old", default)).Rejection.ShouldBeNull();
        // One that hides what is shared under the same name.
        (await node.Mailboxes.FindAsync(Bob, Inbox, default)).Value!.UidValidity.ShouldBe(3u);
        await RenameAsync("Other Users", "Mine");
        (await node.Mailboxes.FindAsync(Bob, $"Mine/{Alice}@example.test/INBOX", default)).Value!.UidValidity.ShouldBe(3u);
        (await node.Mailboxes.FindAsync(Bob, Inbox, default)).Value!.UidValidity.ShouldBeGreaterThan(3u);
        // Nobody else's go with it.
        (await node.Mailboxes.RenameAsync(Bob, "Other Users", "Theirs", MailNode.Someone, "1", default)).Rejection.ShouldNotBeNull();

        async Task RenameAsync(string from, string to) =>
            (await node.Mailboxes.RenameAsync(Bob, from, to, MailNode.Someone, "1", default)).Rejection.ShouldBeNull();
    }
}
