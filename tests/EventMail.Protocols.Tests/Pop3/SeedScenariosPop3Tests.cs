using System.Security.Cryptography;
using System.Text;
using EventMail.Projections;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Pop3;

/// <summary>The seed that describes a POP3 server: the commands that it has, and those that it lacks.</summary>
public sealed class SeedScenariosPop3Tests(Pop3Fixture fixture) : IClassFixture<Pop3Fixture>
{
    [Fact]
    public async Task STAT_gives_number_and_size_of_the_messages()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        (await client.AskAsync("STAT")).ShouldBe("+OK 3 110");
    }

    [Fact]
    public async Task UIDL_gives_identifiers_that_are_the_same_in_the_next_session()
    {
        var account = await fixture.NewAccountAsync();
        var first = await UidlAsync(account);
        first.Count.ShouldBe(3);
        first.Distinct().Count().ShouldBe(3);
        (await UidlAsync(account)).ShouldBe(first);
    }

    [Fact]
    public async Task RSET_unmarks_deleted_messages()
    {
        var account = await fixture.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account);
        await client.AskAsync("DELE 1");
        (await client.AskAsync("STAT")).ShouldBe("+OK 2 60");
        (await client.AskAsync("RSET"))!.ShouldStartWith("+OK");
        (await client.AskAsync("STAT")).ShouldBe("+OK 3 110");
        await client.AskAsync("QUIT");
        (await UidlAsync(account)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task TOP_gives_the_header_and_the_first_lines()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        (await ListAsync(client, "TOP 1 1")).ShouldBe(["Subject: one", "", "first line"]);
        (await ListAsync(client, "TOP 1 0")).ShouldBe(["Subject: one", ""]);
    }

    [Fact]
    public async Task LIST_RETR_DELE_and_NOOP_work_on_messages_numbered_from_one()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        (await ListAsync(client, "LIST")).ShouldBe(["1 50", "2 31", "3 29"]);
        (await ListAsync(client, "RETR 2")).ShouldBe(["Subject: two", "", "1", "2", "3", "4", "5"]);
        (await client.AskAsync("DELE 2"))!.ShouldStartWith("+OK");
        (await client.AskAsync("RETR 2"))!.ShouldStartWith("-ERR");
        (await client.AskAsync("RETR 0"))!.ShouldStartWith("-ERR");
        (await client.AskAsync("NOOP"))!.ShouldStartWith("+OK");
    }

    [Fact]
    public async Task CAPA_lists_what_the_server_can_do()
    {
        await using var client = fixture.Open();
        await client.ReadLineAsync();
        var capabilities = await ListAsync(client, "CAPA");
        foreach (var capability in (string[])["TOP", "UIDL", "USER", "STLS", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "EXPIRE NEVER"])
        {
            capabilities.ShouldContain(capability);
        }

        capabilities.ShouldContain(line => line.StartsWith("SASL ") && line.Contains("PLAIN"));
        capabilities.ShouldContain(line => line.StartsWith("IMPLEMENTATION "));
    }

    [Fact]
    public async Task Commands_belong_to_states_from_AUTHORIZATION_by_TRANSACTION_to_UPDATE()
    {
        var account = await fixture.NewAccountAsync();
        await using var client = fixture.Open();
        await client.ReadLineAsync();
        foreach (var command in (string[])["STAT", "LIST", "RETR 1", "DELE 1", "RSET", "UIDL", "TOP 1 0"])
        {
            (await client.AskAsync(command))!.ShouldStartWith("-ERR", customMessage: command);
        }

        await client.AskAsync($"USER {account.Address}");
        (await client.AskAsync($"PASS {TestMail.Password}"))!.ShouldStartWith("+OK");
        foreach (var command in (string[])[$"USER {account.Address}", "PASS x", "APOP a 00000000000000000000000000000000", "STLS", "AUTH PLAIN"])
        {
            (await client.AskAsync(command))!.ShouldStartWith("-ERR", customMessage: command);
        }

        await client.AskAsync("DELE 1");
        (await client.AskAsync("QUIT"))!.ShouldStartWith("+OK");
        await client.ExpectClosedAsync();
        (await UidlAsync(account)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_maildrop_is_locked_while_a_session_has_it()
    {
        var account = await fixture.NewAccountAsync();
        await using var first = await fixture.LogInAsync(account);
        await using var second = fixture.Open();
        await second.ReadLineAsync();
        await second.AskAsync($"USER {account.Address}");
        (await second.AskAsync($"PASS {TestMail.Password}"))!.ShouldStartWith("-ERR [IN-USE]");
        await first.AskAsync("QUIT");
        await first.ExpectClosedAsync();
        await second.AskAsync($"USER {account.Address}");
        (await second.AskAsync($"PASS {TestMail.Password}"))!.ShouldStartWith("+OK");
    }

    [Fact]
    public async Task Deletions_are_one_event_at_QUIT_and_none_when_the_connection_drops()
    {
        var account = await fixture.NewAccountAsync();
        await using (var dropped = await fixture.LogInAsync(account))
        {
            await dropped.AskAsync("DELE 1");
            await dropped.AskAsync("DELE 2");
        }

        (await ExpungesAsync(account.Account)).ShouldBe(0);
        ScriptedClient? client = null;
        for (var i = 0; client is null; i++)
        {
            // The lock is given back when the server has noticed.
            i.ShouldBeLessThan(5000);
            await using var attempt = fixture.Open();
            await attempt.ReadLineAsync();
            await attempt.AskAsync($"USER {account.Address}");
            if ((await attempt.AskAsync($"PASS {TestMail.Password}"))!.StartsWith("+OK", StringComparison.Ordinal))
            {
                client = attempt;
                await client.AskAsync("DELE 1");
                await client.AskAsync("DELE 2");
                (await client.AskAsync("QUIT"))!.ShouldStartWith("+OK");
            }
            else
            {
                await Task.Delay(20);
            }
        }

        (await ExpungesAsync(account.Account)).ShouldBe(1);
        (await UidlAsync(account)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Given_the_server_stops_a_session_is_told_so_and_nothing_is_removed()
    {
        var account = await fixture.NewAccountAsync();
        MailConnection? connection = null;
        await using (var client = await fixture.LogInAsync(account, opened => connection = opened))
        {
            (await client.AskAsync("DELE 1"))!.ShouldStartWith("+OK");
            connection!.Stop();
            await client.ExpectMatchAsync(@"-ERR \[SYS/TEMP\] .*nothing was removed");
            await client.ExpectClosedAsync();
        }

        (await ExpungesAsync(account.Account)).ShouldBe(0);
        (await UidlAsync(account)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Errors_do_not_tell_whether_a_user_exists()
    {
        var account = await fixture.NewAccountAsync();
        var answers = new List<string?>();
        foreach (var user in (string[])[account.Address, "nobody@example.test"])
        {
            await using var client = fixture.Open();
            await client.ReadLineAsync();
            answers.Add(await client.AskAsync($"USER {user}"));
            answers.Add(await client.AskAsync("PASS wrong"));
        }

        answers[..2].ShouldBe(answers[2..]);
    }

    private async Task<List<string>> UidlAsync(Projections.Accounts.AccountEntry account)
    {
        await using var client = await fixture.LogInAsync(account);
        var lines = await ListAsync(client, "UIDL");
        await client.AskAsync("QUIT");
        await client.ExpectClosedAsync();
        return [.. lines.Select(line => line.Split(' ')[1])];
    }

    private async Task<long> ExpungesAsync(string account)
    {
        await using var command = fixture.Mail.Database.DataSource.CreateCommand(
            "select count(*) from mt_events where type = 'messages_expunged' and tenant_id = $1");
        command.Parameters.Add(new() { Value = account });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<List<string>> ListAsync(ScriptedClient client, string command)
    {
        (await client.AskAsync(command))!.ShouldStartWith("+OK");
        var lines = new List<string>();
        while (await client.ReadLineAsync() is { } line && line != ".")
        {
            lines.Add(line);
        }

        return lines;
    }
}

/// <summary>APOP changes the greeting for everybody: on a server of its own.</summary>
public sealed class ApopTests(Pop3Fixture fixture) : IClassFixture<Pop3Fixture>
{
    [Fact]
    public async Task APOP_logs_in_accounts_that_opted_in_by_a_digest_of_the_greetings_timestamp()
    {
        var account = await fixture.NewAccountAsync();
        var other = await fixture.NewAccountAsync();
        await using (var client = fixture.Open())
        {
            await client.ExpectAsync("+OK EventMail POP3 ready");
            (await client.AskAsync($"APOP {account.Address} {new string('0', 32)}")).ShouldBe("-ERR APOP is not on offer, the greeting had no timestamp");
        }

        (await fixture.Mail.Accounts.EnableRecoverableAsync(account.Address, TestMail.Password, Actor.System, default)).IsOk.ShouldBeTrue();
        (await ApopAsync(account.Address, TestMail.Password)).ShouldBe("+OK Maildrop has 3 messages (110 octets)");
        var wrong = await ApopAsync(account.Address, "wrong");
        wrong.ShouldStartWith("-ERR [AUTH]");
        (await ApopAsync(other.Address, TestMail.Password)).ShouldBe(wrong);
        (await ApopAsync("nobody@example.test", TestMail.Password)).ShouldBe(wrong);
        // No digest answers two greetings.
        (await ApopAsync(account.Address, TestMail.Password, "<1.2@localhost>")).ShouldBe(wrong);

        await using var malformed = fixture.Open();
        await malformed.ReadLineAsync();
        (await malformed.AskAsync($"APOP {account.Address}")).ShouldBe("-ERR Syntax: APOP name digest");
        (await malformed.AskAsync($"APOP {account.Address} c4c9334bac560ecc979e58001b3e22f")).ShouldBe("-ERR Syntax: APOP name digest");
    }

    private async Task<string> ApopAsync(string user, string password, string? timestamp = null)
    {
        await using var client = fixture.Open();
        var greeting = await client.ExpectMatchAsync(@"\+OK .*(?<timestamp><[^>]+>)");
        timestamp ??= greeting.Groups["timestamp"].Value;
        var answer = await client.AskAsync($"APOP {user} {Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(timestamp + password)))}");
        await client.AskAsync("QUIT");
        return answer!;
    }
}
