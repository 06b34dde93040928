using EventMail.Domain.Mailboxes;
using EventMail.Projections.Past;
using EventMail.Projections.Restoring;

namespace EventMail.Host.Tests.Cli;

/// <summary>`restore` where names have changed hands, where there were copies, and where it is done more than once.</summary>
public sealed class RestoreEdgesTests(RestoreNode node) : RestoreSite(node), IClassFixture<RestoreNode>
{
    private async Task CreateAsync(string session, params string[] names)
    {
        foreach (var name in names)
            (await Node.Store.Mailboxes.CreateAsync(Account, name, null, As(session), "A", default)).Rejection.ShouldBeNull();
    }

    private async Task RenameAsync(string session, string from, string to) =>
        (await Node.Store.Mailboxes.RenameAsync(Account, from, to, As(session), "A", default)).Rejection.ShouldBeNull();

    private async Task DeleteAsync(string session, string name) =>
        (await Node.Store.Mailboxes.DeleteAsync(Account, name, As(session), "A", default)).Rejection.ShouldBeNull();

    // By a session of its own: all commands of the tests' process have one.
    private async Task RestoreAsync(string session, string then)
    {
        PastInstant.TryParse(then, out var instant).ShouldBeTrue();
        var service = new RestoreService(Node.Store.Log, Node.Store.Mailboxes, Node.Store.Past);
        (await service.RestoreAsync(new(Account, instant), As(session), null, default)).Rejection.ShouldBeNull();
    }

    private Task UndoAsync(string session, string undone) =>
        new SessionUndo(Node.Store.Log, Node.Store.Mailboxes, Node.Store.Past, Node.Store.Deliveries.Operations).UndoAsync(undone, null, false, As(session), null, default);

    [Fact]
    public async Task Mailboxes_whose_names_others_of_them_have_by_now_get_them_back()
    {
        await OpenAccountAsync();
        foreach (var name in (string[])["Alpha", "Left", "Right", "Zeta"])
        {
            await CreateAsync("user", name);
            await AppendAsync("user", name, name);
        }
        var (then, names) = (Now(), await NamesAsync());
        await DeleteAsync("user", "Alpha");
        await RenameAsync("user", "Zeta", "Alpha");
        await RenameAsync("user", "Left", "Middle");
        await RenameAsync("user", "Right", "Left");
        await RenameAsync("user", "Middle", "Right");
        foreach (var dry in (string[][])[["--dry-run"], []])
        {
            var said = await DoAsync(["restore", Address, "--to", then, .. dry]);
            said.ShouldContain("Alpha: mailbox back with its UIDs");
            foreach (var renamed in (string[])["Left", "Right", "Zeta"])
                said.ShouldContain($"{renamed}: renamed back");
        }
        (await NamesAsync()).ShouldBe(names);
        foreach (var name in (string[])["Alpha", "Left", "Right", "Zeta"])
            (await PictureAsync(name)).ShouldBe($"1 {name}");
        (await DoAsync("restore", Address, "--to", then)).ShouldBe("nothing is missing");
    }

    [Fact]
    public async Task A_mailbox_that_a_thief_deleted_and_made_again_is_the_old_one_after_the_undo()
    {
        await OpenAccountAsync();
        await CreateAsync("user", "Home", "Work");
        await AppendAsync("user", "Work", "plan", "urgent");
        await AppendAsync("user", "INBOX", "one");
        await AppendAsync("user", "Home", "bill");
        var names = await NamesAsync();
        await DeleteAsync("thief", "Work");
        await CreateAsync("thief", "Work");
        await MoveAsync("thief", "INBOX", "1", "Work");
        await RenameAsync("thief", "Home", "Heim");
        await CreateAsync("thief", "Home", "Empty");
        var dry = await DoAsync("restore", "--session", "thief", Address, "--dry-run");
        (await NamesAsync()).ShouldContain("Empty");
        foreach (var said in (string[])[dry, await DoAsync("restore", "--session", "thief", Address)])
        {
            said.ShouldContain("Work: mailbox gone, 1 removed");
            said.ShouldContain("Work: mailbox back with its UIDs");
            said.ShouldContain("Home: renamed back");
            said.ShouldContain("Empty: mailbox gone");
        }
        (await NamesAsync()).ShouldBe(names);
        (await PictureAsync("Work")).ShouldBe("1 plan urgent");
        (await PictureAsync("Home")).ShouldBe("1 bill");
        (await PictureAsync("INBOX")).ShouldBe("2 one");
        (await DoAsync("restore", "--session", "thief", Address)).ShouldContain("nothing is missing");
    }

    [Fact]
    public async Task What_came_back_into_a_mailbox_that_others_use_by_now_stays_there()
    {
        await OpenAccountAsync();
        await CreateAsync("user", "Work");
        await AppendAsync("user", "Work", "plan");
        await DeleteAsync("thief", "Work");
        await CreateAsync("thief", "Work");
        await AppendAsync("thief", "Work", "bait");
        await AppendAsync("thief", "Work", "more");
        await AppendAsync("user", "Work", "news");
        // What the thief put there is thrown away by somebody: what is left is counted without it.
        await ExpungeAsync("user", "Work", "2");
        (await DoAsync("restore", "--session", "thief", Address)).ShouldContain("Work: 1 removed");
        (await PictureAsync("Work")).ShouldBe("3 news; 4 plan");
        (await DoAsync("restore", "--session", "thief", Address)).ShouldContain("nothing is missing");
        (await PictureAsync("Work")).ShouldBe("3 news; 4 plan");
    }

    [Fact]
    public async Task A_message_of_which_there_was_a_copy_elsewhere_even_then_is_missing()
    {
        await OpenAccountAsync();
        await CreateAsync("user", "Work");
        foreach (var subject in (string[])["one", "two", "three"])
            await AppendAsync("user", "INBOX", subject);
        await InAsync("INBOX", async open =>
            (await Node.Store.Mailboxes.CopyAsync(open, UidSet.Parse("1:2"), "Work", move: false, As("user"), "A", default)).Rejection.ShouldBeNull());
        var then = Now();
        await ExpungeAsync("thief", "INBOX", "1:2");
        await MoveAsync("user", "INBOX", "3", "Archive");
        (await DoAsync("restore", Address, "--to", then)).ShouldContain("INBOX: 2 messages back, 1 are in other mailboxes");
        (await PictureAsync("INBOX")).ShouldBe("4 one; 5 two");
        var again = await DoAsync("restore", Address, "--to", then);
        again.ShouldContain("INBOX: 1 are in other mailboxes (--moved brings copies back)");
        again.ShouldEndWith("nothing else is missing");
    }

    [Fact]
    public async Task A_restore_is_undone_with_the_mailboxes_that_it_brought_back()
    {
        await OpenAccountAsync();
        await CreateAsync("user", "Work", "Home");
        await AppendAsync("user", "Work", "plan");
        await AppendAsync("user", "Home", "bill");
        await AppendAsync("user", "INBOX", "one");
        var then = Now();
        await DeleteAsync("user", "Work");
        await DeleteAsync("user", "Home");
        await ExpungeAsync("user", "INBOX", "1");
        await RestoreAsync("operator", then);
        // Somebody uses one of them since.
        await AppendAsync("user", "Home", "letter");
        var undone = await DoAsync("restore", "--session", "operator", Address, "--dry-run");
        (await DoAsync("restore", "--session", "operator", Address)).ShouldBe(undone.Replace("would be", "is"));
        undone.ShouldContain("INBOX: 1 removed");
        undone.ShouldContain("Work: mailbox gone, 1 removed");
        undone.ShouldContain("Home: 1 removed");
        (await NamesAsync()).ShouldNotContain("Work");
        (await PictureAsync("INBOX")).ShouldBe("");
        (await PictureAsync("Home")).ShouldBe("2 letter");
        (await DoAsync("restore", "--session", "operator", Address)).ShouldBe("nothing is missing");

        // And the undo of an undo: the mailbox has its UIDs still.
        await RestoreAsync("second", then);
        await UndoAsync("third", "second");
        (await NamesAsync()).ShouldNotContain("Work");
        await UndoAsync("fourth", "third");
        (await PictureAsync("Work")).ShouldBe("1 plan");
        (await PictureAsync("INBOX")).ShouldBe("4 one");
    }

    [Fact]
    public async Task What_users_do_after_an_undo_stays_when_it_is_done_again()
    {
        await OpenAccountAsync();
        foreach (var subject in (string[])["one", "two", "three"])
            await AppendAsync("user", "INBOX", subject, @"\Seen");
        await ExpungeAsync("thief", "INBOX", "1:2");
        await DoAsync("restore", "--session", "thief", Address);
        (await PictureAsync("INBOX")).ShouldBe(@"3 three \Seen; 4 one \Seen; 5 two \Seen");
        await ExpungeAsync("user", "INBOX", "4");
        await StoreAsync("user", "INBOX", "5", StoreMode.Replace, @"\Flagged");
        (await DoAsync("restore", "--session", "thief", Address)).ShouldContain("nothing is missing");
        (await PictureAsync("INBOX")).ShouldBe(@"3 three \Seen; 5 two \Flagged");
    }

    [Fact]
    public async Task What_another_restore_brought_back_before_the_undo_comes_back_once()
    {
        await OpenAccountAsync();
        foreach (var subject in (string[])["one", "two", "three"])
            await AppendAsync("user", "INBOX", subject, @"\Seen");
        var then = Now();
        await ExpungeAsync("thief", "INBOX", "1:2");
        await AppendAsync("thief", "INBOX", "bait");
        await DoAsync("restore", Address, "--to", then);
        (await DoAsync("restore", "--session", "thief", Address)).ShouldContain("INBOX: 1 removed");
        (await PictureAsync("INBOX")).ShouldBe(@"3 three \Seen; 5 one \Seen; 6 two \Seen");
    }

    [Fact]
    public async Task What_was_not_there_then_is_refused_before_a_closed_account_is_opened()
    {
        await OpenAccountAsync();
        await AppendAsync("user", "INBOX", "one");
        var then = Now();
        await DoAsync("account", "remove", Address);
        (await FailAsync(1, "restore", Address, "INBOX", "--to", then, "--messages", "7,9:12")).ShouldContain("None of these messages was there");
        (await FailAsync(1, "restore", Address, "Archive", "--to", then, "--messages", $"<one@{Account}.example>")).ShouldContain("None of these messages was there");
        (await Node.Store.Directory.FindAsync(Address, default)).ShouldBeNull();
    }

    [Fact]
    public async Task An_account_that_is_opened_again_for_one_mailbox_has_its_INBOX_as_well()
    {
        await OpenAccountAsync();
        await CreateAsync("user", "Work");
        await AppendAsync("user", "Work", "plan");
        await AppendAsync("user", "INBOX", "one");
        var then = Now();
        await DoAsync("account", "remove", Address);
        (await Node.RunAsync(["restore", Address, "Work", "--to", then, "--dry-run"])).Error.ShouldContain($"{Address} is closed and would be opened again.");
        await DoAsync("restore", Address, "Work", "--to", then);
        (await NamesAsync()).ShouldBe(["INBOX", "Work"]);
        (await PictureAsync("INBOX")).ShouldBe("1 one");
    }

    [Fact]
    public async Task Of_two_accounts_that_had_an_address_the_one_of_that_time_comes_back()
    {
        await OpenAccountAsync();
        await AppendAsync("user", "INBOX", "one");
        var (first, then) = (Account, Now());
        await DoAsync("account", "remove", Address);
        await OpenAccountAsync();
        await DoAsync("account", "remove", Address);
        await DoAsync("restore", Address, "--to", then);
        (await Node.Store.Directory.FindAsync(Address, default))!.Account.ShouldBe(first);
    }

    [Fact]
    public async Task What_a_session_did_in_another_account_is_told_where_only_one_is_undone()
    {
        await OpenAccountAsync();
        var (owner, address, thief) = (Account, Address, $"thief-{Account}");
        await AppendAsync(thief, "INBOX", "bait");
        await DoAsync("account", "add", $"other-{Address}", "--password", CliServer.Password);
        var other = (await Node.Store.Directory.FindAsync($"other-{address}", default))!.Account;
        (await Node.Store.Mailboxes.CreateAsync(other, "Loot", null, As(thief), "A", default)).Rejection.ShouldBeNull();
        var said = await DoAsync("restore", "--session", thief, owner);
        said.ShouldContain("INBOX: 1 removed");
        said.ShouldContain("not looked at: what it wrote in 1 other account; without ADDRESS all is undone");
        (await DoAsync("restore", "--session", thief)).ShouldContain("Loot: mailbox gone");
    }

    [Fact]
    public async Task An_account_that_the_session_made_stays_whole_and_is_named()
    {
        await OpenAccountAsync();
        var (owner, session, made) = (Account, $"admin-{Account}", $"made-{Address}");
        await AppendAsync(session, "INBOX", "bait");
        (await Node.Store.Accounts.AddAsync(made, CliServer.Password, null, As(session), default)).Rejection.ShouldBeNull();
        var account = (await Node.Store.Directory.FindAsync(made, default))!.Account;
        (await Node.Store.Mailboxes.CreateAsync(account, "Work", null, As(session), "A", default)).Rejection.ShouldBeNull();
        var before = (await Node.Store.Mailboxes.ListAsync(account, default)).Select(mailbox => mailbox.Name).ToList();
        before.Count.ShouldBeGreaterThan(2);

        foreach (var dry in new[] { true, false })
        {
            var said = await DoAsync(["restore", "--session", session, .. dry ? ["--dry-run"] : Array.Empty<string>()]);
            said.ShouldContain($"account {made} was made by it and stays, with its mailboxes");
            said.ShouldContain($"eventmail account remove {made}");
            said.ShouldContain("INBOX: 1 removed");
            said.ShouldNotContain("mailbox gone");
            said.ShouldContain($"all else {(dry ? "would be" : "is")} as if session {session} had not been");
            (await Node.Store.Mailboxes.ListAsync(account, default)).Select(mailbox => mailbox.Name).ShouldBe(before);
        }
        (await Node.Store.Directory.FindAsync(made, default)).ShouldNotBeNull();
        (await DoAsync("restore", "--session", session, "--json")).ShouldContain($"\"address\":\"{made}\"");

        // Removed by an operator, it is not brought back.
        await DoAsync("account", "remove", made);
        (await DoAsync("restore", "--session", session)).ShouldContain($"account {made} was made by it and is closed");
        (await Node.Store.Directory.FindAsync(made, default)).ShouldBeNull();
        // Whoever asks for another account hears nothing of it.
        (await DoAsync("restore", "--session", session, owner)).ShouldNotContain(made);
    }

    [Fact]
    public async Task Rights_that_are_as_before_are_told()
    {
        await OpenAccountAsync();
        var (thief, other) = ($"thief-{Account}", $"other-{Account}");
        (await Node.Store.Mailboxes.Access.SetAsync(
            Account, "INBOX", "anyone", RightsMode.Replace, Rights.Read | Rights.Lookup, As(thief), null, default)).Rejection.ShouldBeNull();
        (await DoAsync("restore", "--session", thief, Address, "--dry-run")).ShouldContain("INBOX: rights of 1 as before");
        (await DoAsync("restore", "--session", thief, Address)).ShouldContain("INBOX: rights of 1 as before");
        (await DoAsync("restore", "--session", thief, Address)).ShouldBe("nothing is missing");
        (await Node.Store.Mailboxes.SubscribeAsync(Account, "Archive", true, As(other), "A", default)).Rejection.ShouldBeNull();
        (await DoAsync("restore", "--session", other, Address)).ShouldEndWith($"\nall is as if session {other} had not been");
        (await DoAsync("restore", "--session", other, Address)).ShouldBe("nothing is missing");
    }
}
