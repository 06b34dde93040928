using EventMail.Host.Tests.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Moving;

[Collection(MovesCollection.Name)]
public sealed class AccountMoveTests(MovePair pair)
{
    private static readonly string[] Mailboxes = ["INBOX", "Archive/Work", "Written"];

    private static readonly string Mail = $"""
        From alice@example.org Mon Feb  3 12:34:56 2025
        Status: RO
        X-Status: AF
        X-Keywords: $Forwarded work
        Subject: one

        everybody has it

        From bob@example.org Tue Feb  4 01:02:03 2025
        Subject: two

        {new string('y', 300_000)}

        From carol@example.org Tue Feb  4 02:02:03 2025
        Subject: three

        gone soon


        """;

    [Fact]
    public async Task An_account_goes_to_another_database_as_it_is()
    {
        const string Address = "mover@example.test";
        var account = await FillAsync(Address);
        // The octets of the first message are in the target already, under another number.
        var other = Path.Combine(pair.Target.DataFolder, "other.mbox");
        await File.WriteAllTextAsync(other, Mail);
        await MovePair.DoAsync(pair.Target, "account", "add", "there@example.test", "--password", CliServer.Password);
        await MovePair.DoAsync(pair.Target, "import", "mbox", other, "there@example.test");
        await MovePair.DoAsync(pair.Source, "alias", "add", "sales@example.test", Address);
        var before = await MovePair.SeenAsync(pair.Source, Address, Mailboxes);

        var moved = await pair.MoveAsync(Address);
        moved.ExitCode.ShouldBe(0, moved.Error);
        moved.Output.ShouldSatisfyAllConditions(
            output => output.ShouldContain($"account {Address} moved to {MovePair.TargetName}"),
            output => output.ShouldContain("alias sales@example.test leads to it here and is not there"));

        // The same log, and one event more: clients find nothing changed.
        var left = await MovePair.EventsAsync(pair.SourceDatabase, account);
        var come = await MovePair.EventsAsync(pair.TargetDatabase, account);
        left[^1].ShouldContain("account_moved_out");
        come[..left.Length].ShouldBe(left);
        come[left.Length].ShouldContain("account_moved_in");
        (await MovePair.SeenAsync(pair.Target, Address, Mailboxes)).ShouldBe(before);
        foreach (var server in (TestServer[])[pair.Source, pair.Target])
            await MovePair.DoAsync(server, "audit", "verify");
        await MovePair.DoAsync(pair.Target, "projections", "verify");
        (await RestoredSite.LinesAsync(pair.TargetDatabase, "select count(*) from eventmail.arrival union all select count(*) from eventmail.arriving_event union all select count(*) from eventmail.arriving_content"))
            .ShouldBe(["0", "0", "0"]);

        // It is written to there, and here by nobody.
        await using (var client = await MovePair.LogInAsync(pair.Target, Address))
        {
            await MovePair.AskAsync(client, "SELECT INBOX");
            (await MovePair.AskAsync(client, "STORE 1 +FLAGS (\\Draft)"))[^1].ShouldStartWith("q OK");
        }
        await using (var client = await ScriptedClient.ConnectAsync(pair.Source["imap"]))
        {
            await client.ReadLineAsync();
            (await client.AskAsync($"a LOGIN {Address} \"{CliServer.Password}\"")).ShouldStartWith("a NO");
        }
        (await MovePair.RecipientAsync(pair.Source, Address)).ShouldStartWith("450 4.2.1");
        (await MovePair.DoAsync(pair.Source, "account", "list")).ShouldContain($"moved to {MovePair.TargetName}");
        (await MovePair.DoAsync(pair.Source, "account", "show", Address)).ShouldContain($"state       moved to {MovePair.TargetName}");
        (await MovePair.RecipientAsync(pair.Target, Address)).ShouldStartWith("250");
        (await pair.Source.RunAsync("account", "resume", Address)).ShouldSatisfyAllConditions(
            resume => resume.ExitCode.ShouldBe(3), resume => resume.Error.ShouldContain($"has moved to {MovePair.TargetName}"));
        (await pair.MoveAsync(Address)).ExitCode.ShouldBe(0);
        (await pair.MoveAsync(Address, "--cancel")).Error.ShouldContain("has moved to");
        (await MovePair.EventsAsync(pair.SourceDatabase, account)).ShouldBe(left);
    }

    [Fact]
    public async Task What_is_missing_in_the_target_is_said_before_anything_moves()
    {
        const string Address = "mover@elsewhere.test";
        var account = await FillAsync(Address);
        (await pair.MoveAsync(Address)).Error.ShouldContain("eventmail domain add elsewhere.test");
        await MovePair.DoAsync(pair.Target, "account", "add", Address, "--password", CliServer.Password);
        (await pair.MoveAsync(Address)).Error.ShouldContain($"has an account or alias {Address} already");
        (await pair.Source.RunAsync("account", "move", Address, "--to", pair.Source.DataFolder)).Error.ShouldContain("the database that the account is in");
        (await pair.Source.RunAsync("account", "move", Address, "--to", "/nowhere/at/all")).ExitCode.ShouldBe(2);
        await MovePair.DoAsync(pair.Source, "account", "suspend", Address);
        (await pair.MoveAsync(Address)).Error.ShouldContain("resume it before it moves");
        (await RestoredSite.LinesAsync(pair.TargetDatabase, $"select count(*) from eventmail.arrival where tenant_id = '{account}'")).ShouldBe(["0"]);
    }

    [Fact]
    public async Task While_it_is_read_only_it_is_read_and_writes_are_told_to_come_again()
    {
        const string Address = "reader@example.test";
        var account = await FillAsync(Address);
        await using var open = await MovePair.LogInAsync(pair.Source, Address);
        await MovePair.AskAsync(open, "SELECT INBOX");
        // A move that died in that moment.
        await RestoredSite.LinesAsync(pair.SourceDatabase, $"insert into eventmail.read_only_tenant (tenant_id, reason) values ('{account}', 'is being moved to {MovePair.TargetName}') returning 1");
        await RestoredSite.LinesAsync(pair.SourceDatabase,
            "select pg_terminate_backend(pid)::text from pg_stat_activity where datname = current_database() and application_name like 'eventmail committer %'");

        await using var late = await MovePair.LogInAsync(pair.Source, Address);
        (await MovePair.AskAsync(late, "SELECT INBOX"))[^1].ShouldStartWith("q OK");
        (await MovePair.AskAsync(late, "FETCH 1 (FLAGS)"))[^1].ShouldStartWith("q OK");
        foreach (var client in (ScriptedClient[])[open, late])
            (await MovePair.AskAsync(client, "STORE 1 +FLAGS (\\Draft)"))[^1].ShouldBe($"q NO [UNAVAILABLE] The account is being moved to {MovePair.TargetName}, try again later");
        (await SendAsync(pair.Source, Address)).ShouldStartWith("451 4.2.1");
        (await MovePair.DoAsync(pair.Source, "account", "list")).ShouldContain($"is being moved to {MovePair.TargetName}");
        (await pair.Source.RunAsync("account", "quota", Address, "1GB")).ExitCode.ShouldBe(3);

        (await pair.MoveAsync(Address, "--cancel")).Output.ShouldContain("stays here");
        (await MovePair.AskAsync(open, "STORE 1 +FLAGS (\\Draft)"))[^1].ShouldStartWith("q OK");
        (await SendAsync(pair.Source, Address)).ShouldStartWith("250");
    }

    [Fact]
    public async Task Killed_at_any_point_it_goes_on_and_no_acknowledged_message_is_lost()
    {
        const string Address = "killed@example.test";
        var account = await FillAsync(Address);
        using var stop = new CancellationTokenSource();
        var acknowledged = 0;
        var writing = WriteAsync(pair.Source, Address, () => acknowledged++, stop.Token);
        (TestDatabase Where, string Sign)[] moments =
        [
            (pair.TargetDatabase, $"select 1 from eventmail.arrival where tenant_id = '{account}'"),
            (pair.TargetDatabase, $"select 1 from eventmail.arriving_content where tenant_id = '{account}' limit 1"),
            (pair.SourceDatabase, $"select 1 from eventmail.read_only_tenant where tenant_id = '{account}'"),
            (pair.SourceDatabase, $"select 1 from public.mt_events where type = 'account_moved_out' and tenant_id = '{account}'"),
            (pair.TargetDatabase, $"select 1 from public.mt_streams where tenant_id = '{account}' limit 1"),
        ];
        foreach (var (where, sign) in moments)
        {
            using var process = TestServer.Begin("account", "move", Address, "--to", pair.Target.DataFolder, "--data", pair.Source.DataFolder);
            while (!process.HasExited && (await RestoredSite.LinesAsync(where, sign)).Length == 0)
                await Task.Delay(1);
            process.Kill();
            await process.WaitForExitAsync();
            // Whoever has it open there has all of it, and the other side has written its last.
            var openThere = await RestoredSite.LinesAsync(pair.TargetDatabase, $"select 1 from projections.account where account = '{account}' and not suspended");
            if (openThere.Length > 0)
                (await RestoredSite.LinesAsync(pair.SourceDatabase, "select type from public.mt_events where tenant_id = '" + account + "' order by seq_id desc limit 1")).ShouldBe(["account_moved_out"]);
        }
        (await pair.MoveAsync(Address)).ShouldSatisfyAllConditions(moved => moved.ExitCode.ShouldBe(0, moved.Error));
        await stop.CancelAsync();
        await writing;

        acknowledged.ShouldBeGreaterThan(0);
        await using var client = await MovePair.LogInAsync(pair.Target, Address);
        (await MovePair.AskAsync(client, "STATUS Written (MESSAGES)"))[0].ShouldBe($"* STATUS Written (MESSAGES {acknowledged})");
        var left = await MovePair.EventsAsync(pair.SourceDatabase, account);
        (await MovePair.EventsAsync(pair.TargetDatabase, account))[..left.Length].ShouldBe(left);
        await MovePair.DoAsync(pair.Target, "audit", "verify");
        await MovePair.DoAsync(pair.Target, "projections", "verify");
    }

    private async Task<string> FillAsync(string address)
    {
        await MovePair.DoAsync(pair.Source, "account", "add", address, "--password", CliServer.Password);
        var file = Path.Combine(pair.Source.DataFolder, "mail.mbox");
        await File.WriteAllTextAsync(file, Mail);
        await MovePair.DoAsync(pair.Source, "import", "mbox", file, address);
        await using var client = await MovePair.LogInAsync(pair.Source, address);
        foreach (var command in (string[])[
            "SELECT INBOX", "CREATE Work", "COPY 1:2 Work", "STORE 3 +FLAGS (\\Deleted)", "EXPUNGE", "RENAME Work Archive/Work", "CREATE Written", "SUBSCRIBE Written"])
            (await MovePair.AskAsync(client, command))[^1].ShouldStartWith("q OK");
        var account = await MovePair.AccountOfAsync(pair.SourceDatabase, address);
        // Written behind the SELECT: nothing is under way any more.
        while ((await RestoredSite.LinesAsync(pair.SourceDatabase, $"select 1 from public.mt_events where tenant_id = '{account}' and type = 'recent_claimed'")).Length == 0)
            await Task.Delay(20);
        return account;
    }

    private static async Task WriteAsync(TestServer server, string address, Action acknowledged, CancellationToken stop)
    {
        try
        {
            await using var client = await MovePair.LogInAsync(server, address);
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var text = $"Subject: {i}\r\n\r\nwritten while it moves\r\n";
                await client.SendLineAsync($"q APPEND Written {{{text.Length}+}}\r\n{text}");
                if (await client.ReadLineAsync() is not { } line)
                    return;
                if (line.StartsWith("q OK", StringComparison.Ordinal))
                    acknowledged();
                await Task.Delay(10, CancellationToken.None);
            }
        }
        catch (IOException)
        {
            // It was shown the door: the account is elsewhere.
        }
    }

    private static async Task<string> SendAsync(TestServer server, string address)
    {
        await using var client = await ScriptedClient.ConnectAsync(server["smtp"]);
        await client.ReadLineAsync();
        await client.AskAsync("HELO client.example.org");
        await client.AskAsync("MAIL FROM:<sender@example.org>");
        (await client.AskAsync($"RCPT TO:<{address}>")).ShouldStartWith("250");
        await client.AskAsync("DATA");
        await client.SendLineAsync("Subject: late\r\n\r\ntext");
        return (await client.AskAsync("."))!;
    }
}
