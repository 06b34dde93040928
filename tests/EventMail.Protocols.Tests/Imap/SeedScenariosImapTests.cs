using System.Security.Cryptography;
using System.Text;
using EventMail.Protocols.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Microsoft.Extensions.Logging;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>The scenarios of I-001 and I-013 and the acceptance criteria of IMAP. The limits of connections are the listeners'.</summary>
public sealed class SeedScenariosImapTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Fact]
    public async Task I001_Given_a_client_without_TLS_STARTTLS_is_advertised_and_LOGIN_rejected_until_it_completes()
    {
        var account = await fixture.NewAccountAsync();
        await using var client = new ScriptedClient(fixture.Open("starttls").Client);
        await client.ReadLineAsync();
        var before = (await client.AskAsync("a CAPABILITY"))!;
        before.ShouldStartWith("* CAPABILITY IMAP4rev1 STARTTLS");
        before.ShouldNotContain("AUTH=");
        await client.ExpectMatchAsync("a OK .*");
        (await client.AskAsync($"b LOGIN {account.Address} {TestMail.Password}")).ShouldBe("b NO [PRIVACYREQUIRED] Passwords need TLS here");

        await client.AskAsync("c STARTTLS");
        await client.StartTlsAsync();
        var after = (await client.AskAsync("d CAPABILITY"))!;
        after.ShouldContain("AUTH=PLAIN");
        after.ShouldContain("AUTH=LOGIN");
        after.ShouldNotContain("STARTTLS");
        await client.ExpectMatchAsync("d OK .*");
        (await client.AskAsync($"e LOGIN {account.Address} {TestMail.Password}"))!.ShouldStartWith("e OK");
    }

    [Fact]
    public void I001_The_times_of_the_requirements_are_the_defaults()
    {
        var limits = new ImapLimits();
        limits.IdleTimeout.ShouldBe(TimeSpan.FromMinutes(30));
        limits.KeepAlive.ShouldBe(TimeSpan.FromMinutes(29));
        limits.CommandTimeout.ShouldBe(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task I001_Given_IDLE_the_heartbeat_says_Still_here_new_messages_are_told_at_once_and_DONE_ends_it()
    {
        var account = await fixture.NewAccountAsync();
        var log = new FieldLogger();
        await using var idle = await fixture.LogInAsync(account, fixture.ServicesWith(new() { KeepAlive = TimeSpan.FromMilliseconds(300) }, log));
        await SelectAsync(idle);
        (await idle.AskAsync("b IDLE")).ShouldBe("+ idling");
        await idle.ExpectAsync("* OK Still here");

        await using var other = await fixture.LogInAsync(account);
        await AppendAsync(other, "news");
        string? line;
        while ((line = await idle.ReadLineAsync()) == "* OK Still here")
        {
        }

        line.ShouldBe("* 1 EXISTS");
        await idle.SendLineAsync("DONE");
        while (!(line = await idle.ReadLineAsync())!.StartsWith("b ", StringComparison.Ordinal))
        {
        }

        line.ShouldBe("b OK IDLE completed");
        log.Entries.ShouldContain(e => e.Level == LogLevel.Information && e.Message.StartsWith("IMAP IDLE mode entered: mailbox INBOX"));
        log.Entries.ShouldContain(e => e.Level == LogLevel.Debug && e.Fields.ContainsKey("event") && Equals(e.Fields["event"], "new_message"));
    }

    [Fact]
    public async Task I001_Given_a_client_that_is_silent_for_the_idle_timeout_it_is_told_BYE_and_closed()
    {
        var account = await fixture.NewAccountAsync();
        var log = new FieldLogger();
        await using var client = await fixture.LogInAsync(account, fixture.ServicesWith(new() { IdleTimeout = TimeSpan.FromMilliseconds(200) }, log));
        await client.ExpectAsync("* BYE Idle timeout");
        await client.ExpectClosedAsync();
        var entry = log.Entries.Single(e => e.Fields.ContainsKey("idleDuration"));
        entry.Level.ShouldBe(LogLevel.Warning);
        entry.Fields.Keys.ShouldBeSubsetOf(["idleDuration", "connectionId", "sessionId", "clientIp", "{OriginalFormat}"]);
    }

    [Fact]
    public async Task I001_Given_a_command_that_never_ends_it_is_cut_off_after_the_command_timeout()
    {
        var account = await fixture.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account, fixture.ServicesWith(new() { CommandTimeout = TimeSpan.FromMilliseconds(200) }));
        await client.SendAsync("a NOO"u8.ToArray());
        await client.ExpectAsync("* BYE Command not completed in time");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task I001_Good_and_bad_authentications_are_logged_with_who_from_where_and_how_and_never_the_password()
    {
        var account = await fixture.NewAccountAsync();
        var log = new FieldLogger();
        await using var client = new ScriptedClient(fixture.Open(services: fixture.ServicesWith(new(), log)).Client);
        await client.ReadLineAsync();
        await client.AskAsync($"a LOGIN {account.Address} hunter2");
        await client.AskAsync($"b LOGIN {account.Address} {TestMail.Password}");
        var failed = log.Entries.Single(e => e.Message.StartsWith("IMAP authentication failed"));
        failed.Level.ShouldBe(LogLevel.Warning);
        failed.Fields["errorCode"].ShouldBe("AUTHENTICATIONFAILED");
        var succeeded = log.Entries.Single(e => e.Message.StartsWith("IMAP authentication successful"));
        succeeded.Level.ShouldBe(LogLevel.Information);
        succeeded.Fields["username"].ShouldBe(account.Address);
        succeeded.Fields["authMethod"].ShouldBe("LOGIN");
        foreach (var field in (string[])["connectionId", "sessionId", "clientIp", "durationMs"])
        {
            succeeded.Fields.ShouldContainKey(field);
        }

        log.Entries.ShouldAllBe(e => !e.Message.Contains("hunter2") && !e.Message.Contains(TestMail.Password));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task I001_Given_SIGTERM_a_session_that_waits_is_told_BYE_and_closed(bool idle)
    {
        var account = await fixture.NewAccountAsync();
        var connection = fixture.Open();
        await using var client = await LogInAsync(connection, account.Address);
        await SelectAsync(client);
        if (idle)
            (await client.AskAsync("i IDLE")).ShouldBe("+ idling");
        connection.Connection.Stop();
        await client.ExpectAsync("* BYE [UNAVAILABLE] Server shutting down");
        await client.ExpectClosedAsync();
        await connection.Served.WaitAsync(Testing.Waiting.Limit);
    }

    [Fact]
    public async Task I001_Given_SIGTERM_the_command_in_progress_is_completed_first()
    {
        var account = await fixture.NewAccountAsync();
        var connection = fixture.Open();
        await using var client = await LogInAsync(connection, account.Address);
        (await client.AskAsync("a APPEND INBOX {13}")).ShouldBe("+ OK");
        connection.Connection.Stop();
        await client.SendLineAsync("Subject: x\r\n\r");
        await client.SendLineAsync("");
        await client.ExpectMatchAsync(@"a OK \[APPENDUID \d+ 1\] APPEND completed");
        await client.ExpectAsync("* BYE [UNAVAILABLE] Server shutting down");
        await client.ExpectClosedAsync();
        await using var later = await fixture.LogInAsync(account);
        (await AllAsync(later, "s", "STATUS INBOX (MESSAGES)")).ShouldContain("* STATUS INBOX (MESSAGES 1)");
    }

    [Fact]
    public async Task Guide_Commands_beyond_the_share_of_a_user_are_answered_later_and_answered()
    {
        var account = await fixture.NewAccountAsync();
        var services = fixture.ServicesWith(new(), limiter: new(new() { PerUser = 60, ExemptLoopback = false }));
        await using var client = await fixture.LogInAsync(account, services);
        var started = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < 62; i++)
            await client.SendLineAsync($"n{i} NOOP");
        for (var i = 0; i < 60; i++)
            await client.ExpectAsync($"n{i} OK NOOP completed");
        await client.ExpectAsync("n60 OK NOOP completed");
        await client.ExpectAsync("n61 OK NOOP completed");
        started.Elapsed.ShouldBeGreaterThan(TimeSpan.FromSeconds(0.9));
    }

    private static async Task<ScriptedClient> LogInAsync(ImapConnection connection, string address)
    {
        var client = new ScriptedClient(connection.Client);
        await client.ReadLineAsync();
        (await AllAsync(client, "l", $"LOGIN {address} {TestMail.Password}"))[^1].ShouldStartWith("l OK");
        return client;
    }

    [Fact]
    public async Task U006_Given_a_quota_APPEND_and_COPY_beyond_it_are_refused_with_OVERQUOTA_and_MOVE_is_not()
    {
        await using var client = await fixture.LogInAsync(await fixture.Mail.NewAccountAsync(quota: 1000));
        var message = "Subject: x\r\n\r\n" + new string('x', 586);
        var append = $"APPEND INBOX {{{message.Length}+}}\r\n{message}";
        (await AllAsync(client, "a", append))[^1].ShouldStartWith("a OK [APPENDUID");
        (await AllAsync(client, "b", append))[^1].ShouldStartWith("b NO [OVERQUOTA]");
        // What goes into one commit counts together.
        await client.SendLineAsync($"c {append}\r\nd {append}");
        await client.ExpectMatchAsync(@"c NO \[OVERQUOTA\] .*");
        await client.ExpectMatchAsync(@"d NO \[OVERQUOTA\] .*");
        await SelectAsync(client);
        (await AllAsync(client, "e", "COPY 1 Archive"))[^1].ShouldStartWith("e NO [OVERQUOTA]");
        (await AllAsync(client, "f", "MOVE 1 Archive"))[^1].ShouldStartWith("f OK");
    }

    [Fact]
    public async Task I013_Given_a_new_user_the_special_use_mailboxes_are_there()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        var lines = await AllAsync(client, "a", "LIST \"\" *");
        foreach (var (name, use) in new[] { ("Drafts", @"\Drafts"), ("Sent", @"\Sent"), ("Trash", @"\Trash"), ("Spam", @"\Junk"), ("Archive", @"\Archive") })
        {
            lines.ShouldContain(line => line.StartsWith("* LIST (") && line.Contains(use) && line.EndsWith($" {name}"));
        }

        lines.Count(line => line.EndsWith(" INBOX") && !line.Contains(@"\Junk")).ShouldBe(1);
        lines.Count.ShouldBe(7);
    }

    [Theory]
    [InlineData("LOGIN")]
    [InlineData("AUTHENTICATE PLAIN")]
    [InlineData("AUTHENTICATE LOGIN")]
    [InlineData("AUTHENTICATE CRAM-MD5")]
    public async Task Acceptance_A_user_authenticates_by_each_of_the_mechanisms_and_lists_the_mailboxes(string how)
    {
        var account = await fixture.NewAccountAsync();
        if (how.EndsWith("CRAM-MD5", StringComparison.Ordinal))
            (await fixture.Mail.Accounts.EnableRecoverableAsync(account.Address, TestMail.Password, Projections.Actor.System, default)).IsOk.ShouldBeTrue();
        await using var client = new ScriptedClient(fixture.Open().Client);
        await client.ReadLineAsync();
        (await AuthenticateAsync(client, how, account.Address)).ShouldStartWith("a OK [CAPABILITY ");
        (await AllAsync(client, "b", "LIST \"\" *"))[..^1].Select(line => line.Split(' ')[^1]).Order()
            .ShouldBe(["Archive", "Drafts", "INBOX", "Sent", "Spam", "Trash"], ignoreOrder: true);
        await fixture.Mail.Accounts.DisableRecoverableAsync(account.Address, Projections.Actor.System, default);
    }

    private static async Task<string> AuthenticateAsync(ScriptedClient client, string how, string user)
    {
        switch (how)
        {
            case "LOGIN":
                return (await client.AskAsync($"a LOGIN {user} {TestMail.Password}"))!;
            case "AUTHENTICATE PLAIN":
                return (await client.AskAsync($"a {how} {Base64($"\0{user}\0{TestMail.Password}")}"))!;
            case "AUTHENTICATE LOGIN":
                await client.AskAsync($"a {how}");
                await client.AskAsync(Base64(user));
                return (await client.AskAsync(Base64(TestMail.Password)))!;
            default:
                // RFC 2195 §2
                var challenge = Convert.FromBase64String((await client.AskAsync($"a {how}"))![2..]);
                var digest = Convert.ToHexStringLower(HMACMD5.HashData(Encoding.UTF8.GetBytes(TestMail.Password), challenge));
                return (await client.AskAsync(Base64($"{user} {digest}")))!;
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [Fact]
    public async Task Guide_Who_is_logged_in_cannot_log_in_again_and_stays_who_it_is()
    {
        var (account, other) = (await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        await using var client = await fixture.LogInAsync(account);
        await AppendAsync(client, "mine");
        (await client.AskAsync($"a LOGIN {other.Address} {TestMail.Password}")).ShouldBe("a BAD Already logged in");
        (await client.AskAsync($"b AUTHENTICATE PLAIN {Base64($"\0{other.Address}\0{TestMail.Password}")}")).ShouldBe("b BAD Already logged in");
        (await AllAsync(client, "c", "STATUS INBOX (MESSAGES)")).ShouldContain("* STATUS INBOX (MESSAGES 1)");
    }

    [Fact]
    public async Task Acceptance_IDLE_notifies_on_new_messages_of_every_kind_of_arrival()
    {
        var account = await fixture.NewAccountAsync();
        await using var idle = await fixture.LogInAsync(account);
        await SelectAsync(idle);
        (await idle.AskAsync("i IDLE")).ShouldBe("+ idling");
        await using var other = await fixture.LogInAsync(account);
        await AppendAsync(other, "appended");
        (await NextExistsAsync()).ShouldBe("* 1 EXISTS");
        await SelectAsync(other);
        (await AllAsync(other, "a", "COPY 1 INBOX"))[^1].ShouldStartWith("a OK");
        (await NextExistsAsync()).ShouldBe("* 2 EXISTS");
        await idle.SendLineAsync("DONE");

        async Task<string?> NextExistsAsync()
        {
            string? line;
            do
            {
                line = await idle.ReadLineAsync();
            }
            while (line is not null && !line.EndsWith(" EXISTS", StringComparison.Ordinal));
            return line;
        }
    }

    [Fact]
    public async Task Acceptance_A_message_is_appended_fetched_flagged_searched_copied_and_removed()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await AppendAsync(client, "hello");
        await AppendAsync(client, "other");
        await SelectAsync(client);
        var fetched = await AllAsync(client, "a", "FETCH 1 (RFC822.SIZE BODY[HEADER.FIELDS (SUBJECT)])");
        fetched.ShouldContain("Subject: hello");
        fetched[0].ShouldMatch($@"^\* 1 FETCH \(.*RFC822\.SIZE {"Subject: hello\r\n\r\nbody\r\n".Length}\b");
        (await AllAsync(client, "b", @"STORE 1 +FLAGS (\Seen)"))[0].ShouldMatch(@"^\* 1 FETCH \(FLAGS \(.*\\Seen.*\)\)$");
        (await AllAsync(client, "c", "SEARCH SUBJECT other")).ShouldContain("* SEARCH 2");
        (await AllAsync(client, "d", "COPY 1 Archive"))[^1].ShouldStartWith("d OK [COPYUID");
        (await AllAsync(client, "e", "STATUS Archive (MESSAGES UNSEEN)")).ShouldContain("* STATUS Archive (MESSAGES 1 UNSEEN 0)");
        await AllAsync(client, "f", @"STORE 1 +FLAGS.SILENT (\Deleted)");
        (await AllAsync(client, "g", "EXPUNGE")).ShouldContain("* 1 EXPUNGE");
    }

    [Fact]
    public async Task Acceptance_Mailboxes_are_created_renamed_and_deleted()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        (await AllAsync(client, "a", "CREATE Projects/One"))[^1].ShouldStartWith("a OK");
        (await AllAsync(client, "b", "RENAME Projects/One Projects/Two"))[^1].ShouldStartWith("b OK");
        (await AllAsync(client, "c", "DELETE Projects/One"))[^1].ShouldStartWith("c NO [NONEXISTENT]");
        (await AllAsync(client, "d", "DELETE Projects/Two"))[^1].ShouldStartWith("d OK");
    }

    private static async Task SelectAsync(ScriptedClient client) => (await AllAsync(client, "s", "SELECT INBOX"))[^1].ShouldStartWith("s OK");

    private static async Task AppendAsync(ScriptedClient client, string subject)
    {
        var message = $"Subject: {subject}\r\n\r\nbody\r\n";
        (await AllAsync(client, "p", $"APPEND INBOX {{{message.Length}+}}\r\n{message}"))[^1].ShouldStartWith("p OK [APPENDUID");
    }

    /// <summary>All lines to the tagged one.</summary>
    private static async Task<List<string>> AllAsync(ScriptedClient client, string tag, string command)
    {
        await client.SendLineAsync($"{tag} {command}");
        var lines = new List<string>();
        do
        {
            lines.Add((await client.ReadLineAsync())!);
        }
        while (!lines[^1].StartsWith($"{tag} ", StringComparison.Ordinal));
        return lines;
    }
}
