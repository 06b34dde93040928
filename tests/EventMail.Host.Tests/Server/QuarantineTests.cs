using System.Globalization;
using EventMail.Host.Tests.Cli;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Server;

/// <summary>A row of the log that was damaged by hand: the server says which, its mailbox waits, and everybody else is served.</summary>
public sealed class QuarantineTests
{
    private const string Message = "Subject: hello\r\n\r\nBody\r\n.";

    [Theory]
    [InlineData("""'{"Content": 5}'""", "message_received")] // its data are not what its type says
    [InlineData("data", "message_teleported")] // no program knows the type
    public async Task A_mailbox_whose_log_cannot_be_read_waits_and_its_mail_is_deferred_while_the_others_go_on(string data, string type)
    {
        await using var database = await TestDatabase.CreateAsync();
        using var folder = new TestFolder();
        long seq;
        var server = await StartAsync();
        await using (server)
        {
            foreach (var name in new[] { "alice", "bob" })
                (await server.RunAsync("account", "add", $"{name}@one.example", "--password", CliServer.Password)).ExitCode.ShouldBe(0);
            await using var smtp = await GreetAsync(server, "smtp", "EHLO");
            for (var i = 0; i < 2; i++)
                await DeliverAsync(smtp, ["alice@one.example"], ["250"], ["250"]);
            await using (var imap = await LoginAsync(server, "alice"))
                (await RunAsync(imap, "APPEND Archive {6+}\r\nA: b\r\n")).ShouldStartWith("a OK");
            seq = (long)(await ScalarAsync("select min(seq_id) from public.mt_events where type = 'message_received'"))!;
            // What follows the log has it behind it: it is a client who comes to it first.
            await Waiting.UntilAsync(() => ScalarAsync("""
                select count(*) >= 3 and min(last_seq_id) >= (select max(seq_id) from public.mt_events) from public.mt_event_progression
                """).GetAwaiter().GetResult() is true);
            (await server.StopAsync()).ShouldBe(0);
        }

        var original = (string)(await ScalarAsync($"select data::text from public.mt_events where seq_id = {seq}"))!;
        await ScalarAsync($"""
            update public.mt_events set data = {data}, type = '{type}' where seq_id = {seq};
            truncate projections.mailbox_snapshot, projections.mailbox_segment
            """);
        server = await StartAsync();
        await using (server)
        {
            // Nobody has come to it yet: its mail is taken up to the end of the message.
            await using var lmtp = await GreetAsync(server, "lmtp", "LHLO");
            await BeginAsync(lmtp, ["alice@one.example", "bob@one.example"], ["250", "250"]);

            await using var alice = await LoginAsync(server, "alice");
            (await RunAsync(alice, "SELECT INBOX")).ShouldBe("a NO [CORRUPTION] The mailbox's record is damaged; the server's operator has been told");
            (await RunAsync(alice, "APPEND INBOX {6+}\r\nA: b\r\n")).ShouldStartWith("a NO [CORRUPTION]");
            (await RunAsync(alice, "SELECT Archive")).ShouldStartWith("a OK");
            (await RunAsync(alice, "STORE 1 +FLAGS (\\Seen)")).ShouldStartWith("a OK");
            (await RunAsync(alice, "COPY 1 INBOX")).ShouldStartWith("a NO [CORRUPTION]");
            (await RunAsync(alice, "COPY 1 Drafts")).ShouldStartWith("a OK");
            await using (var bob = await LoginAsync(server, "bob"))
                (await RunAsync(bob, "SELECT INBOX")).ShouldStartWith("a OK");

            await FinishAsync(lmtp, ["451 4.2.0", "250"]);
            await DeliverAsync(lmtp, ["alice@one.example", "bob@one.example"], ["451 4.2.0", "250"], ["250"]);
            await using (var smtp = await GreetAsync(server, "smtp", "EHLO"))
                await DeliverAsync(smtp, ["alice@one.example", "bob@one.example"], ["451 4.2.0", "250"], ["250"]);
            await using (var pop3 = await ScriptedClient.ConnectAsync(server["pop3"]))
            {
                await pop3.ReadLineAsync();
                await pop3.AskAsync("USER alice@one.example");
                (await pop3.AskAsync($"PASS {CliServer.Password}"))!.ShouldStartWith("-ERR [SYS/PERM] The mailbox's record is damaged");
            }

            var position = seq.ToString(CultureInfo.InvariantCulture);
            await Waiting.UntilAsync(() => server.Log.Contains($"seq_id {position})", StringComparison.Ordinal), () => server.Log);
            await Waiting.UntilAsync(async () => await ScalarAsync("select count(*) from eventmail.unreadable_event") is 1L);
            var status = await server.RunAsync("projections", "status");
            status.ExitCode.ShouldBe(1);
            status.Error.ShouldContain($"the event at position {position} ({type}, version ");
            status.Error.ShouldContain("in quarantine");

            await ScalarAsync($"update public.mt_events set data = '{original.Replace("'", "''")}', type = 'message_received' where seq_id = {seq}");
            await Waiting.UntilAsync(() => server.Log.Contains("out of quarantine", StringComparison.Ordinal));
            (await RunAsync(alice, "SELECT INBOX")).ShouldStartWith("a OK");
            (await RunAsync(alice, "SEARCH ALL", untagged: true)).ShouldContain("* SEARCH 1 2");
            await DeliverAsync(lmtp, ["alice@one.example", "bob@one.example"], ["250", "250"], ["250", "250"]);
            (await server.RunAsync("projections", "status")).ExitCode.ShouldBe(0);
            var verified = await server.RunAsync("projections", "verify");
            verified.ExitCode.ShouldBe(0, verified.Output + verified.Error);
        }

        async Task<TestServer> StartAsync() => await TestServer.StartAsync(new()
        {
            DataFolder = folder.Path,
            ConnectionString = database.ConnectionString,
            Settings = [.. CliServer.Settings, "Lmtp:Port=0", "MailAuth:Dmarc=Off"],
        });

        async Task<object?> ScalarAsync(string sql)
        {
            await using var command = database.DataSource.CreateCommand(sql);
            return await command.ExecuteScalarAsync();
        }
    }

    [Fact]
    public async Task Two_hosts_on_one_database_have_one_quarantine_and_one_release()
    {
        await using var database = await TestDatabase.CreateAsync();
        using var contents = new TestFolder();
        TestServer one, two;
        await using (one = await StartAsync())
        {
            foreach (var name in new[] { "alice", "bob" })
                (await one.RunAsync("account", "add", $"{name}@one.example", "--password", CliServer.Password)).ExitCode.ShouldBe(0);
            await using var smtp = await GreetAsync(one, "smtp", "EHLO");
            await DeliverAsync(smtp, ["alice@one.example", "bob@one.example"], ["250", "250"], ["250"]);
            (await one.StopAsync()).ShouldBe(0);
        }
        const string first = "where type = 'message_received' and tenant_id = (select account from projections.account where address = 'alice@one.example')";
        var (seq, data) = ((long)(await ScalarAsync($"select seq_id from public.mt_events {first}"))!, (string)(await ScalarAsync($"select data::text from public.mt_events {first}"))!);
        await ScalarAsync($"""
            update public.mt_events set data = '[]' where seq_id = {seq};
            truncate projections.mailbox_snapshot, projections.mailbox_segment
            """);

        await using (one = await StartAsync())
        await using (two = await StartAsync())
        {
            // A client of the one comes to it; the other, where nobody has, knows within seconds.
            await using (var alice = await LoginAsync(one, "alice"))
                (await RunAsync(alice, "SELECT INBOX")).ShouldStartWith("a NO [CORRUPTION]");
            foreach (var server in (TestServer[])[one, two])
            {
                await Waiting.UntilAsync(() => server.Log.Contains($"seq_id {seq})", StringComparison.Ordinal), () => server.Log);
                await using var smtp = await GreetAsync(server, "smtp", "EHLO");
                await DeliverAsync(smtp, ["alice@one.example", "bob@one.example"], ["451 4.2.0", "250"], ["250"]);
            }
            await using (var alice = await LoginAsync(two, "alice"))
                (await RunAsync(alice, "SELECT INBOX")).ShouldStartWith("a NO [CORRUPTION]");
            (await ScalarAsync("select count(*) from eventmail.unreadable_event")).ShouldBe(1L);

            await ScalarAsync($"update public.mt_events set data = '{data.Replace("'", "''", StringComparison.Ordinal)}' where seq_id = {seq}");
            foreach (var server in (TestServer[])[one, two])
            {
                await Waiting.UntilAsync(() => server.Log.Contains("out of quarantine", StringComparison.Ordinal), () => server.Log);
                await using var smtp = await GreetAsync(server, "smtp", "EHLO");
                await DeliverAsync(smtp, ["alice@one.example"], ["250"], ["250"]);
                await using var alice = await LoginAsync(server, "alice");
                (await RunAsync(alice, "SELECT INBOX")).ShouldStartWith("a OK");
            }
            (await ScalarAsync("select count(*) from eventmail.unreadable_event")).ShouldBe(0L);
        }

        Task<TestServer> StartAsync() => TestServer.StartAsync(new()
        {
            ConnectionString = database.ConnectionString,
            Settings = [.. CliServer.Settings, "MailAuth:Dmarc=Off", $"Content:Folder={contents.Path}", $"Keys:Folder={database.Keys.Folder}"],
        });

        async Task<object?> ScalarAsync(string sql)
        {
            await using var command = database.DataSource.CreateCommand(sql);
            return await command.ExecuteScalarAsync();
        }
    }

    private static async Task<ScriptedClient> GreetAsync(TestServer server, string listener, string hello)
    {
        var client = await ScriptedClient.ConnectAsync(server[listener]);
        await client.ReadLineAsync();
        for (var line = await client.AskAsync($"{hello} client.example.org"); line!.StartsWith("250-", StringComparison.Ordinal);)
            line = await client.ReadLineAsync();
        return client;
    }

    private static async Task<ScriptedClient> LoginAsync(TestServer server, string name)
    {
        var client = await ScriptedClient.ConnectAsync(server["imap"]);
        await client.ReadLineAsync();
        (await RunAsync(client, $"LOGIN {name}@one.example \"{CliServer.Password}\"")).ShouldStartWith("a OK");
        return client;
    }

    /// <returns>The tagged line.</returns>
    /// <param name="untagged">Before it those without a tag.</param>
    private static async Task<string> RunAsync(ScriptedClient imap, string command, bool untagged = false)
    {
        await imap.SendLineAsync($"a {command}");
        var lines = new List<string>();
        while (await imap.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.StartsWith("a ", StringComparison.Ordinal))
                return untagged ? string.Join('\n', lines) : line;
        }
        throw imap.Failure("the server closed");
    }

    private static async Task DeliverAsync(ScriptedClient smtp, string[] recipients, string[] answers, string[] ends)
    {
        await BeginAsync(smtp, recipients, answers);
        await FinishAsync(smtp, ends);
    }

    private static async Task BeginAsync(ScriptedClient smtp, string[] recipients, string[] answers)
    {
        (await smtp.AskAsync("MAIL FROM:<sender@example.org>"))!.ShouldStartWith("250");
        foreach (var (recipient, answer) in recipients.Zip(answers))
            (await smtp.AskAsync($"RCPT TO:<{recipient}>"))!.ShouldStartWith(answer);
    }

    private static async Task FinishAsync(ScriptedClient smtp, string[] ends)
    {
        (await smtp.AskAsync("DATA"))!.ShouldStartWith("354");
        await smtp.SendLineAsync(Message);
        foreach (var end in ends)
            (await smtp.ReadLineAsync())!.ShouldStartWith(end);
    }
}
