using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Npgsql;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>RFC 3501 §5.5: APPENDs that do not wait for one another share commits, and are answered as if they had waited.</summary>
public sealed class ImapPipelinedAppendTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private static byte[] Append(string tag, string mailbox, string message) =>
        Encoding.ASCII.GetBytes($"{tag} APPEND {mailbox} {{{message.Length}+}}\r\n{message}\r\n");

    private static byte[] Appends(int count, string mailbox = "INBOX") =>
        [.. Enumerable.Range(0, count).SelectMany(i => Append($"t{i}", mailbox, $"Subject: {i}\r\n\r\nbody\r\n"))];

    private async Task<(long Events, long Commits)> CountAsync(AccountEntry account)
    {
        await using var command = fixture.Mail.Database.DataSource.CreateCommand(
            "select count(*), count(distinct timestamp) from public.mt_events where type = 'message_appended' and tenant_id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = account.Account });
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetInt64(1));
    }

    [Fact]
    public async Task They_are_answered_in_order_and_share_commits()
    {
        var account = await fixture.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account, fixture.ServicesWith(new() { MaxMessageSize = 1000 }));
        var commands = new List<byte>();
        for (var i = 0; i < 100; i++)
        {
            commands.AddRange(i switch
            {
                40 => Append("t40", "nosuch", "t41 LOGOUT\r\n"),
                70 => Append("t70", "INBOX", new string('x', 1001)),
                _ => Append($"t{i}", "INBOX", $"Subject: {i}\r\n\r\nbody\r\n"),
            });
        }

        await client.SendAsync(commands.ToArray());
        var uid = 1;
        for (var i = 0; i < 100; i++)
        {
            await client.ExpectMatchAsync(i switch
            {
                40 => @"t40 NO \[TRYCREATE\] .*",
                70 => @"t70 NO \[TOOBIG\] .*",
                _ => $@"t{i} OK \[APPENDUID \d+ {uid++}\] APPEND completed",
            });
        }

        var (events, commits) = await CountAsync(account);
        events.ShouldBe(98);
        commits.ShouldBeLessThan(50);
        (await client.AskAsync("e NOOP")).ShouldBe("e OK NOOP completed");
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(16, 0)]
    public async Task No_more_are_under_way_together_than_the_limits_say(int appends, long octets)
    {
        var account = await fixture.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account, fixture.ServicesWith(new() { MaxPendingAppends = appends, MaxPendingOctets = octets }));
        await client.SendAsync(Appends(20));
        for (var i = 0; i < 20; i++)
            await client.ExpectMatchAsync($"t{i} OK .*");
        (await CountAsync(account)).ShouldBe((20, 20));
    }

    [Fact]
    public async Task What_comes_behind_them_finds_them()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await client.SendAsync((byte[])[.. Appends(20), .. "s STATUS INBOX (MESSAGES)\r\n"u8, .. Append("n", "INBOX", "last\r\n"), .. "b BOGUS\r\n"u8]);
        for (var i = 0; i < 20; i++)
            await client.ExpectMatchAsync($"t{i} OK .*");
        await client.ExpectAsync("* STATUS INBOX (MESSAGES 20)");
        await client.ExpectMatchAsync("s OK .*");
        await client.ExpectMatchAsync("n OK .*");
        await client.ExpectMatchAsync("b BAD .*");
    }

    [Fact]
    public async Task A_selected_mailbox_is_told_before_each_reply()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await client.SendLineAsync("s SELECT INBOX");
        while (!(await client.ReadLineAsync())!.StartsWith("s OK", StringComparison.Ordinal))
        {
        }

        await client.SendAsync(Appends(30));
        var exists = 0;
        for (var next = 0; next < 30;)
        {
            var line = (await client.ReadLineAsync())!;
            if (line.EndsWith(" EXISTS", StringComparison.Ordinal))
                exists = int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
            else if (line.StartsWith($"t{next} OK", StringComparison.Ordinal))
                exists.ShouldBeGreaterThanOrEqualTo(++next);
            else
                line.ShouldEndWith(" RECENT");
        }
    }

    [Fact]
    public async Task They_are_answered_while_the_next_one_is_still_on_its_way()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await client.SendAsync((byte[])[.. Appends(3), .. "u APPEND INBOX {10+}\r\n123"u8]);
        for (var i = 0; i < 3; i++)
            await client.ExpectMatchAsync($"t{i} OK .*");
        await client.SendAsync("4567\r\n!\r\n"u8.ToArray());
        await client.ExpectMatchAsync("u OK .*");
        // And before a client that waits is told to go on.
        await client.SendAsync((byte[])[.. Appends(3), .. "v APPEND INBOX {3}\r\n"u8]);
        for (var i = 0; i < 3; i++)
            await client.ExpectMatchAsync($"t{i} OK .*");
        await client.ExpectAsync("+ OK");
        await client.SendAsync("a\r\n\r\n"u8.ToArray());
        await client.ExpectMatchAsync("v OK .*");
    }

    [Fact]
    public async Task A_client_that_leaves_has_stored_what_it_sent()
    {
        var account = await fixture.NewAccountAsync();
        var connection = fixture.Open();
        await using (var client = new ScriptedClient(connection.Client))
        {
            await client.ReadLineAsync();
            await client.SendLineAsync($"l LOGIN {account.Address} {TestMail.Password}");
            await client.ExpectMatchAsync("l OK .*");
            await client.SendAsync(Appends(50));
            client.CloseSending();
            // It still listens.
            for (var i = 0; i < 50; i++)
                await client.ExpectMatchAsync($"t{i} OK .*");
            await client.ExpectClosedAsync();
        }

        await connection.Served.WaitAsync(Testing.Waiting.Limit);
        (await CountAsync(account)).Events.ShouldBe(50);
    }

    [Fact]
    public async Task One_that_fails_does_not_touch_the_others()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await client.SendAsync((byte[])
        [
            .. Append("a", "INBOX", "1\r\n"), .. Append("b", "Gone", "2\r\n"), .. Append("c", "INBOX (bad", "3\r\n"), .. Append("d", "INBOX", "4\r\n"),
        ]);
        await client.ExpectMatchAsync(@"a OK \[APPENDUID \d+ 1\] .*");
        await client.ExpectMatchAsync(@"b NO \[TRYCREATE\] .*");
        await client.ExpectMatchAsync("c BAD .*");
        await client.ExpectMatchAsync(@"d OK \[APPENDUID \d+ 2\] .*");
    }
}
