using System.Diagnostics;
using System.Globalization;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Projections;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Metadata;
using EventMail.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EventMail.Host.Tests.Cli;

/// <summary>`restore` beside a node on which users and a thief are at work.</summary>
public sealed class RestoreCommandTests(RestoreNode node) : RestoreSite(node), IClassFixture<RestoreNode>
{
    [Fact]
    public async Task What_a_thief_did_is_undone_and_what_others_did_meanwhile_stays()
    {
        await OpenAccountAsync();
        foreach (var name in (string[])["Work", "Lists"])
            (await Node.Store.Mailboxes.CreateAsync(Account, name, null, As("user"), "A", default)).Rejection.ShouldBeNull();
        foreach (var subject in (string[])["one", "two", "three", "four"])
            await AppendAsync("user", "INBOX", subject, @"\Seen");
        await AppendAsync("user", "Work", "plan", "urgent");
        await AppendAsync("user", "Lists", "digest");
        var (workBefore, namesBefore) = (await PictureAsync("Work"), await NamesAsync());

        await ExpungeAsync("thief", "INBOX", "1");
        await MoveAsync("thief", "INBOX", "2", "Trash");
        await StoreAsync("thief", "INBOX", "3:4", StoreMode.Remove, @"\Seen");
        await AppendAsync("user", "INBOX", "fifth");
        await StoreAsync("user", "INBOX", "4", StoreMode.Add, @"\Flagged");
        await AppendAsync("thief", "INBOX", "bait");
        (await Node.Store.Mailboxes.DeleteAsync(Account, "Work", As("thief"), "A", default)).Rejection.ShouldBeNull();
        (await Node.Store.Mailboxes.RenameAsync(Account, "Lists", "Gone", As("thief"), "A", default)).Rejection.ShouldBeNull();
        (await Node.Store.Mailboxes.CreateAsync(Account, "Loot", null, As("thief"), "A", default)).Rejection.ShouldBeNull();
        await AppendAsync("thief", "Loot", "spoils");
        (await Node.Store.Mailboxes.Access.SetAsync(
            Account, "INBOX", "anyone", RightsMode.Replace, Rights.Read | Rights.Lookup, As("thief"), null, default)).Rejection.ShouldBeNull();
        (await Node.Store.Mailboxes.SubscribeAsync(Account, "Loot", true, As("thief"), "A", default)).Rejection.ShouldBeNull();

        await AnnotateAsync("user", "INBOX", "/private/comment", "mine");
        await AnnotateAsync("thief", "INBOX", "/private/comment", "ours");
        await AnnotateAsync("thief", "", "/private/vendor/thief/note", "I was here");
        await AnnotateAsync("user", "INBOX", "/private/vendor/user/color", "blue");

        var said = await DoAsync("restore", "--session", "thief", Address, "--dry-run");
        said.ShouldContain("2 annotations as before");
        said.ShouldContain("Work: mailbox back with its UIDs");
        said.ShouldContain("INBOX: 2 messages back");
        (await PictureAsync("INBOX")).ShouldContain("bait");
        (await NamesAsync()).ShouldContain("Loot");

        said = await DoAsync("restore", "--session", "thief", Address);
        said.ShouldContain("INBOX: 2 messages back, flags of 2 as before, 1 removed");
        said.ShouldContain("Lists: renamed back");
        said.ShouldContain("1 subscription as before");
        said.ShouldNotContain("not undone");
        (await AnnotationsAsync("INBOX")).ShouldBe("/private/comment=mine /private/vendor/user/color=blue");
        (await AnnotationsAsync("")).ShouldNotContain("thief");
        (await PictureAsync("INBOX")).ShouldBe(@"3 three \Seen; 4 four \Seen \Flagged; 5 fifth; 7 one \Seen; 8 two \Seen");
        (await PictureAsync("Work")).ShouldBe(workBefore);
        (await PictureAsync("Lists")).ShouldBe("1 digest");
        (await PictureAsync("Trash")).ShouldBe("");
        (await NamesAsync()).ShouldBe(namesBefore);
        (await Node.Store.Mailboxes.SubscriptionsAsync(Account, default)).ShouldNotContain("Loot");
        (await Node.Store.Mailboxes.Access.ListAsync(Account, "INBOX", default)).Value!.Count.ShouldBe(1);

        (await DoAsync("restore", "--session", "thief", Address)).ShouldContain("nothing is missing");
    }

    [Fact]
    public async Task An_account_is_again_as_it_was_and_what_came_since_stays()
    {
        await OpenAccountAsync();
        (await Node.Store.Mailboxes.CreateAsync(Account, "Work", null, As("user"), "A", default)).Rejection.ShouldBeNull();
        foreach (var subject in (string[])["one", "two", "three"])
            await AppendAsync("user", "INBOX", subject, @"\Seen", "kept");
        await AppendAsync("user", "Work", "plan");
        var then = Now();

        await ExpungeAsync("user", "INBOX", "1");
        await MoveAsync("user", "INBOX", "2", "Archive");
        await StoreAsync("user", "INBOX", "3", StoreMode.Replace, @"\Answered");
        await AppendAsync("user", "INBOX", "later");
        (await Node.Store.Mailboxes.DeleteAsync(Account, "Work", As("user"), "A", default)).Rejection.ShouldBeNull();

        var said = await DoAsync("restore", Address, "--to", then);
        said.ShouldContain("INBOX: 1 message back, flags of 1 as before, 1 are in other mailboxes");
        said.ShouldContain("Work: mailbox back with its UIDs");
        (await PictureAsync("INBOX")).ShouldBe(@"3 three \Seen kept; 4 later; 5 one \Seen kept");
        (await PictureAsync("Work")).ShouldBe("1 plan");
        (await PictureAsync("Archive")).ShouldBe(@"1 two \Seen kept");
        (await DoAsync("restore", Address, "INBOX", "--to", then, "--moved", "--keep-flags")).ShouldContain("INBOX: 1 message back");
        (await DoAsync("restore", Address, "--to", then, "--moved")).ShouldBe("nothing is missing");
    }

    [Fact]
    public async Task Single_messages_come_back_by_their_UIDs_of_then_into_a_mailbox_that_was_made_anew()
    {
        await OpenAccountAsync();
        (await Node.Store.Mailboxes.CreateAsync(Account, "Work", null, As("user"), "A", default)).Rejection.ShouldBeNull();
        await AppendAsync("user", "Work", "plan", "urgent");
        await AppendAsync("user", "Work", "draft");
        var then = Now();
        (await Node.Store.Mailboxes.DeleteAsync(Account, "Work", As("user"), "A", default)).Rejection.ShouldBeNull();
        (await Node.Store.Mailboxes.CreateAsync(Account, "Work", null, As("user"), "A", default)).Rejection.ShouldBeNull();
        await AppendAsync("user", "Work", "other");
        (await DoAsync("restore", Address, "Work", "--to", then, "--messages", "1")).ShouldContain("Work: 1 message back");
        (await PictureAsync("Work")).ShouldBe("1 other; 2 plan urgent");
    }

    [Fact]
    public async Task Annotations_of_a_mailbox_are_again_as_they_were_and_new_ones_stay()
    {
        await OpenAccountAsync();
        await AnnotateAsync("user", "INBOX", "/private/comment", "before");
        var then = Now();
        await AnnotateAsync("user", "INBOX", "/private/comment", "after");
        await AnnotateAsync("user", "INBOX", "/private/vendor/user/color", "blue");
        (await DoAsync("restore", Address, "--to", then, "--dry-run")).ShouldContain("INBOX: 1 annotation as before");
        (await DoAsync("restore", Address, "--to", then)).ShouldContain("INBOX: 1 annotation as before");
        (await AnnotationsAsync("INBOX")).ShouldContain("/private/comment=before /private/vendor/user/color=blue");
        (await DoAsync("restore", Address, "--to", then)).ShouldBe("nothing is missing");
    }

    [Fact]
    public async Task Messages_come_back_by_what_they_are_called_wherever_they_were()
    {
        await OpenAccountAsync();
        foreach (var subject in (string[])["one", "two", "three"])
            await AppendAsync("user", "INBOX", subject);
        (await Node.Store.Mailboxes.CreateAsync(Account, "Work", null, As("user"), "A", default)).Rejection.ShouldBeNull();
        await AppendAsync("user", "Work", "plan");
        long third;
        using (var open = await OpenAsync("INBOX"))
            third = open.View[2].Content;
        var then = Now();
        await ExpungeAsync("user", "INBOX", "1:3");
        (await Node.Store.Mailboxes.DeleteAsync(Account, "Work", As("user"), "A", default)).Rejection.ShouldBeNull();

        // Of mailboxes that had none of them nothing is done.
        (await DoAsync("restore", Address, "--to", then, "--messages", $"<two@{Account}.example>", "--messages", Node.EmailId(Account, third)))
            .ShouldStartWith("INBOX: 2 messages back");
        (await PictureAsync("INBOX")).ShouldBe("4 two; 5 three");
        (await NamesAsync()).ShouldNotContain("Work");
        (await DoAsync("restore", Address, "INBOX", "--to", then, "--messages", "1", "--messages", $"two@{Account}.example")).ShouldContain("INBOX: 1 message back");
        (await DoAsync("restore", Address, "--to", then, "--messages", $"plan@{Account}.example")).ShouldContain("Work: mailbox back");
        (await FailAsync(1, "restore", Address, "--to", then, "--messages", "<no@such.example>")).ShouldContain("No message <no@such.example>");
        (await FailAsync(1, "restore", Address, "Archive", "--to", then, "--messages", $"<two@{Account}.example>")).ShouldContain("None of these messages was there");
    }

    [Fact]
    public async Task A_restore_that_was_killed_is_brought_to_its_end_by_the_next_and_nothing_comes_twice()
    {
        const int all = 45_056;
        await OpenAccountAsync();
        await AppendAsync("user", "INBOX", "one", @"\Seen");
        // 4,096 of them in INBOX, eleven times as many in Archive.
        for (var i = 0; i < 12; i++)
            await CopyAsync("INBOX");
        for (var i = 0; i < 11; i++)
            await CopyAsync("Archive");
        var then = Now();
        await InAsync("Archive", async open => (await Node.Store.Mailboxes.RemoveAsync(open, All, As("user"), "A", default)).Rejection.ShouldBeNull());
        await using var connection = await Node.Store.Log.DataSource.OpenConnectionAsync();
        using (var restore = Node.Begin(["restore", Address, "Archive", "--to", then, "--moved"]))
        {
            for (var began = Stopwatch.GetTimestamp(); await CountAsync() == 0 && Stopwatch.GetElapsedTime(began) < Waiting.Limit;)
                await Task.Delay(5);
            // It waits here, in the middle, until it is killed.
            await using var hold = await connection.BeginTransactionAsync();
            await using (var mailbox = new NpgsqlCommand("select from public.mt_streams where tenant_id = $1 and id = $2 for update", connection, hold))
            {
                using var open = await OpenAsync("Archive");
                mailbox.Parameters.Add(new() { Value = Account });
                mailbox.Parameters.Add(new() { Value = open.Key.Id });
                await mailbox.ExecuteNonQueryAsync();
            }
            restore.Kill();
            await restore.WaitForExitAsync();
        }
        (await CountAsync()).ShouldBeInRange(1, all - 1);

        (await DoAsync("restore", Address, "Archive", "--to", then, "--moved")).ShouldContain("messages back");
        (await CountAsync()).ShouldBe(all);
        await InAsync("Archive", open =>
        {
            open.View.Unseen.ShouldBe(0);
            return Task.CompletedTask;
        });
        (await DoAsync("restore", Address, "--to", then, "--moved")).ShouldBe("nothing is missing");

        async Task CopyAsync(string to) => await InAsync("INBOX", async open =>
            (await Node.Store.Mailboxes.CopyAsync(open, All, to, move: false, As("user"), "A", default)).Rejection.ShouldBeNull());

        async Task<int> CountAsync()
        {
            using var open = await OpenAsync("Archive");
            return open.View.Count;
        }
    }

    [Fact]
    public async Task A_closed_account_is_opened_again_with_all_that_it_had()
    {
        await OpenAccountAsync();
        await AppendAsync("user", "INBOX", "one", @"\Flagged");
        var then = Now();
        await DoAsync("account", "remove", Address);
        (await Node.Store.Directory.FindAsync(Address, default)).ShouldBeNull();

        (await DoAsync("restore", Address, "--to", then, "--dry-run")).ShouldContain("INBOX: mailbox back with its UIDs");
        (await Node.Store.Directory.FindAsync(Address, default)).ShouldBeNull();
        await DoAsync("restore", Address, "--to", then);
        (await Node.Store.Directory.FindAsync(Address, default))!.Account.ShouldBe(Account);
        (await PictureAsync("INBOX")).ShouldBe(@"1 one \Flagged");
        await DoAsync("account", "password", Address, "--password", CliServer.Password);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_with_what_to_do()
    {
        await OpenAccountAsync();
        (await FailAsync(1, "restore", Address, "--to", "2001-01-01")).ShouldContain("before the account");
        (await FailAsync(1, "restore", Address, "--to", "2901-01-01")).ShouldContain("future");
        (await FailAsync(1, "restore", Address, "Nowhere", "--to", Now())).ShouldContain("No such mailbox at");
        (await FailAsync(2, "restore", Address, "--to", "soon")).ShouldContain("is no time");
        (await FailAsync(2, "restore", Address)).ShouldContain("--to TIME or --session ID");
        (await FailAsync(2, "restore", Address, "--to", Now(), "--messages", "1")).ShouldContain("say which");
        (await FailAsync(2, "restore", Address, "--to", "1/2/2026")).ShouldContain("is no time");
        (await FailAsync(1, "restore", Address, "--to", "9999999d")).ShouldContain("before the account");
        (await FailAsync(2, "restore", Address, "INBOX", "--to", Now(), "--messages", "x")).ShouldContain("no UIDs");
        (await FailAsync(1, "restore", "nobody@restore.example", "--to", Now())).ShouldContain("no account");
        (await FailAsync(1, "restore", "--session", "none-such")).ShouldContain("No session none-such");
    }
}
