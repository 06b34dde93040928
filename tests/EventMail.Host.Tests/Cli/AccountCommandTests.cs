using EventMail.Testing;

namespace EventMail.Host.Tests.Cli;

/// <summary>Commands while the server runs: it knows of each change at once.</summary>
public sealed class AccountCommandTests(CliServer cli) : IClassFixture<CliServer>
{
    [Fact]
    public async Task A_new_account_gets_mail_and_logs_in_at_once_and_its_domain_is_added_and_said()
    {
        (await cli.RecipientAsync("joe@one.example")).ShouldStartWith("550 5.7.1");
        (await cli.DoAsync("account", "add", "joe@one.example", "--password", CliServer.Password))
            .ShouldBe("mail domain one.example added\naccount joe@one.example added");
        (await cli.RecipientAsync("joe@one.example")).ShouldStartWith("250");
        (await cli.LogInAsync("joe@one.example", CliServer.Password)).ShouldStartWith("+OK");
        (await cli.FailAsync(1, "account", "add", "joe@one.example", "--password", "x")).ShouldStartWith("eventmail: joe@one.example: ");
    }

    [Fact]
    public async Task Without_a_password_one_is_made_and_printed_once()
    {
        var output = await cli.DoAsync("account", "add", "made@two.example");
        var password = output.Split("password ")[1];
        (await cli.LogInAsync("made@two.example", password)).ShouldStartWith("+OK");
        (await cli.DoAsync("account", "show", "made@two.example")).ShouldNotContain(password);
    }

    [Fact]
    public async Task A_changed_password_voids_the_old_one_at_once()
    {
        await cli.DoAsync("account", "add", "change@three.example", "--password", "old password");
        (await cli.LogInAsync("change@three.example", "old password")).ShouldStartWith("+OK");
        await cli.DoAsync("account", "password", "change@three.example", "--password", "new password");
        (await cli.LogInAsync("change@three.example", "old password")).ShouldBe("-ERR [AUTH] Invalid credentials");
        (await cli.LogInAsync("change@three.example", "new password")).ShouldStartWith("+OK");
    }

    [Fact]
    public async Task A_suspended_account_is_shut_and_a_resumed_one_open()
    {
        await cli.DoAsync("account", "add", "shut@four.example", "--password", CliServer.Password);
        await cli.DoAsync("account", "suspend", "shut@four.example");
        (await cli.RecipientAsync("shut@four.example")).ShouldStartWith("450");
        (await cli.LogInAsync("shut@four.example", CliServer.Password)).ShouldContain("disabled");
        (await cli.DoAsync("account", "list")).ShouldContain("suspended");
        await cli.DoAsync("account", "resume", "shut@four.example");
        (await cli.LogInAsync("shut@four.example", CliServer.Password)).ShouldStartWith("+OK");
    }

    [Fact]
    public async Task A_removed_account_is_gone_and_its_history_is_not()
    {
        await cli.DoAsync("account", "add", "gone@five.example", "--password", CliServer.Password);
        await cli.DoAsync("account", "remove", "gone@five.example");
        (await cli.RecipientAsync("gone@five.example")).ShouldStartWith("550 5.1.1");
        (await cli.LogInAsync("gone@five.example", CliServer.Password)).ShouldBe("-ERR [AUTH] Invalid credentials");
        var history = await cli.DoAsync("history", "gone@five.example");
        history.ShouldContain("account gone@five.example opened");
        history.ShouldContain("account gone@five.example closed");
        (await cli.DoAsync("domain", "remove", "five.example")).ShouldBe("mail domain five.example removed");
    }

    [Fact]
    public async Task Aliases_and_domains_are_added_listed_and_removed()
    {
        await cli.DoAsync("account", "add", "joe@six.example", "--password", CliServer.Password);
        await cli.DoAsync("domain", "add", "seven.example");
        await cli.DoAsync("alias", "add", "sales@seven.example", "joe@six.example");
        (await cli.RecipientAsync("sales@seven.example")).ShouldStartWith("250");
        (await cli.DoAsync("alias", "list")).ShouldContain("sales@seven.example");
        (await cli.DoAsync("domain", "list", "--json")).ShouldContain("{\"name\":\"seven.example\",\"addresses\":1}");
        (await cli.FailAsync(1, "domain", "remove", "seven.example")).ShouldStartWith("eventmail: seven.example: ");
        await cli.DoAsync("alias", "remove", "sales@seven.example");
        (await cli.RecipientAsync("sales@seven.example")).ShouldStartWith("550 5.1.1");
        await cli.DoAsync("domain", "remove", "seven.example");
    }

    [Fact]
    public async Task Mailboxes_are_shared_in_their_owners_place()
    {
        foreach (var name in new[] { "alice", "bob" })
            await cli.DoAsync("account", "add", $"{name}@eight.example", "--password", CliServer.Password);
        await cli.DoAsync("mailbox", "share", "alice@eight.example", "INBOX", "bob@eight.example", "lrs");
        await cli.DoAsync("mailbox", "share", "alice@eight.example", "INBOX", "bob@eight.example", "+i");
        await cli.DoAsync("mailbox", "share", "alice@eight.example", "INBOX", "anyone", "l");
        await cli.DoAsync("mailbox", "share", "alice@eight.example", "INBOX", "anyone", "none");
        var list = await cli.DoAsync("mailbox", "acl", "alice@eight.example", "INBOX", "--json");
        list.ShouldContain("{\"identifier\":\"bob@eight.example\",\"rights\":\"lrsi\"}");
        list.ShouldNotContain("anyone");
        (await cli.DoAsync("history", "alice@eight.example", "INBOX")).ShouldContain("rights lrsi given to bob@eight.example");
        (await cli.FailAsync(1, "mailbox", "acl", "alice@eight.example", "nowhere")).ShouldStartWith("eventmail: nowhere: ");
        (await cli.FailAsync(1, "mailbox", "share", "alice@eight.example", "INBOX", "nobody@eight.example", "l")).ShouldStartWith("eventmail: INBOX: ");
        (await cli.FailAsync(2, "mailbox", "share", "alice@eight.example", "INBOX", "bob@eight.example", "lq")).ShouldStartWith("eventmail: q is no right");
    }

    [Fact]
    public async Task What_is_no_full_address_names_nobody_and_changes_nothing()
    {
        var before = await cli.DoAsync("account", "list");
        before.ShouldContain("administrator");
        string[][] commands =
        [
            ["remove"], ["suspend"], ["resume"], ["show"], ["password", "--password", "x"], ["quota", "1MB"], ["disable-apop"],
            ["enable-apop", "--password", "x"],
        ];
        foreach (var command in commands)
        {
            foreach (var name in (string[])["", "postmaster", "@", "@localhost"])
                (await cli.FailAsync(2, ["account", command[0], name, .. command[1..]])).ShouldContain($"'{name}' is no address");
        }
        (await cli.DoAsync("account", "list")).ShouldBe(before);
    }

    [Fact]
    public async Task A_password_may_begin_with_an_at_sign()
    {
        await cli.DoAsync("account", "add", "at@eleven.example", "--password", "@secret");
        (await cli.LogInAsync("at@eleven.example", "@secret")).ShouldStartWith("+OK");
    }

    [Fact]
    public async Task Many_accounts_come_from_a_file()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "# people\na@eight.example one two\n\nb@eight.example three\n");
        (await cli.DoAsync("account", "add", "--file", file, "--quota", "5MB")).ShouldBe("2 accounts added");
        (await cli.LogInAsync("a@eight.example", "one two")).ShouldStartWith("+OK");
        (await cli.DoAsync("account", "show", "b@eight.example")).ShouldContain("of 4.8 MiB");
        File.Delete(file);
    }

    [Fact]
    public async Task A_quota_is_set_and_shown()
    {
        await cli.DoAsync("account", "add", "room@eleven.example", "--password", CliServer.Password);
        (await cli.DoAsync("account", "show", "room@eleven.example")).ShouldContain("of 1 GiB");
        (await cli.DoAsync("account", "quota", "room@eleven.example", "5MB")).ShouldContain("room@eleven.example");
        (await cli.DoAsync("account", "show", "room@eleven.example")).ShouldContain("of 4.8 MiB");
        (await cli.DoAsync("account", "list")).ShouldMatch(@"room@eleven\.example +\S+ +4\.8 MiB");
        (await cli.DoAsync("history", "room@eleven.example")).ShouldContain("quota");
        (await cli.DoAsync("account", "quota", "room@eleven.example", "--messages", "7")).ShouldEndWith(", 7 messages");
        (await cli.DoAsync("account", "show", "room@eleven.example")).ShouldContain("messages    0 of 7");
        (await cli.DoAsync("history", "room@eleven.example")).ShouldContain("limited to 7 messages");
        (await cli.DoAsync("account", "quota", "room@eleven.example", "6MB", "--messages", "none")).ShouldNotContain("messages");
        (await cli.DoAsync("account", "quota", "room@eleven.example", "--verify")).ShouldBe("account room@eleven.example has 0 bytes, 0 messages, as was kept");
        (await cli.FailAsync(1, "account", "quota", "nobody@eleven.example", "--verify")).ShouldContain("no account");
        (await cli.FailAsync(2, "account", "quota", "room@eleven.example", "--messages", "-1")).ShouldContain("none");
        (await cli.FailAsync(2, "account", "quota", "room@eleven.example")).ShouldContain("--messages");
        (await cli.FailAsync(2, "account", "quota", "room@eleven.example", "much")).ShouldContain("500MB");
        (await cli.FailAsync(1, "account", "quota", "nobody@eleven.example", "5MB")).ShouldStartWith("eventmail: nobody@eleven.example: ");
    }

    [Fact]
    public async Task Faults_say_what_to_do()
    {
        (await cli.FailAsync(1, "account", "add", "nonsense", "--password", "x")).ShouldContain("name@domain");
        (await cli.FailAsync(2, "account", "add", "a@nine.example", "--quota", "much")).ShouldContain("500MB");
        (await cli.FailAsync(2, "account", "add")).ShouldContain("user@example.org");
        (await cli.FailAsync(1, "account", "show", "nobody@nine.example")).ShouldContain("no account");
        (await cli.FailAsync(1, "history", "nobody@nine.example")).ShouldContain("account list");
        (await cli.FailAsync(2, "history", "postmaster", "--since", "yesterday-ish")).ShouldContain("2026-11-01");
        (await cli.FailAsync(2, "account", "add", "a@nine.example", "--password-stdin")).ShouldContain("standard input");
    }

    [Fact]
    public async Task History_is_told_of_a_mailbox_and_of_a_time()
    {
        await cli.DoAsync("account", "add", "past@ten.example", "--password", CliServer.Password);
        (await cli.LogInAsync("past@ten.example", CliServer.Password)).ShouldStartWith("+OK");
        (await cli.DoAsync("history", "past@ten.example", "inbox")).Split('\n').ShouldAllBe(line => line.Contains("INBOX: "));
        (await cli.DoAsync("history", "past@ten.example", "--until", "2000-01-01")).ShouldBeEmpty();
        (await cli.DoAsync("history", "past@ten.example", "--since", "1h")).ShouldContain("login by pop3 from 127.0.0.1");
        var json = await cli.DoAsync("history", "past@ten.example", "--json");
        foreach (var line in json.Split('\n'))
        {
            using var entry = System.Text.Json.JsonDocument.Parse(line);
            entry.RootElement.GetProperty("type").GetString().ShouldNotBeNullOrEmpty();
        }
        json.ShouldNotContain("argon2");
    }
}

/// <summary>The same commands while no server runs: PostgreSQL is started for as long as each takes.</summary>
public sealed class CommandsWithoutAServerTests
{
    [Fact]
    public async Task An_account_made_before_the_first_start_logs_in_after_it()
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("eventmail-cli-").FullName;
        // PostgreSQL, which is someone else where the tests are root, has its cluster in here and not in a place that nobody cleans up.
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        try
        {
            string[] settings = [.. CliServer.Settings.SelectMany(setting => new[] { "--set", setting })];
            var added = await TestServer.RunAsync(folder, ["account", "add", "early@example.test", "--password", CliServer.Password, .. settings]);
            added.ExitCode.ShouldBe(0, added.Error);
            added.Output.ShouldContain("account early@example.test added");
            var listed = await TestServer.RunAsync(folder, ["account", "list", .. settings]);
            listed.Output.ShouldContain("early@example.test");
            await using var server = await TestServer.StartAsync(new() { DataFolder = folder, Settings = CliServer.Settings });
            server.Output.ShouldNotContain("first account");
            (await server.StopAsync()).ShouldBe(0);
        }
        finally
        {
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }
}
