using System.Diagnostics;
using EventMail.Protocols.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>A client that does not log in has its place for so long only, whatever it says.</summary>
public sealed class ImapLoginTimeTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private static readonly ImapLimits Short = new() { LoginDeadline = TimeSpan.FromSeconds(5) };

    private ScriptedClient Open() => new(fixture.Open(services: fixture.ServicesWith(Short)).Client);

    [Fact]
    public void The_deadline_is_three_minutes() => new ImapLimits().LoginDeadline.ShouldBe(TimeSpan.FromMinutes(3));

    [Fact]
    public async Task Commands_do_not_put_the_deadline_off()
    {
        await using var client = Open();
        await client.ReadLineAsync();
        var (started, answer) = (Stopwatch.StartNew(), "a OK NOOP completed");
        while (answer == "a OK NOOP completed")
        {
            await client.SendLineAsync("a NOOP");
            answer = await client.ReadLineAsync();
            started.Elapsed.ShouldBeLessThan(Waiting.Limit);
            await Task.Delay(100);
        }

        answer.ShouldBe("* BYE No login in time");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task Nor_does_a_literal_in_small_pieces()
    {
        await using var client = Open();
        await client.ReadLineAsync();
        await client.SendAsync("a LOGIN {60000+}\r\n"u8.ToArray());
        var answer = client.ReadLineAsync();
        for (var i = 0; i < 600 && !answer.IsCompleted; i++)
        {
            await client.SendAsync("x"u8.ToArray());
            await Task.Delay(100);
        }

        (await answer).ShouldBe("* BYE Command not completed in time");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_literal_that_is_too_large_to_be_read_away_ends_the_session()
    {
        await using var client = Open();
        await client.ReadLineAsync();
        await client.SendAsync("a LOGIN {9223372036854775807+}\r\n"u8.ToArray());
        await client.ExpectAsync("* BYE [TOOBIG] Literal too large");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_client_that_logs_in_may_stay()
    {
        var account = await fixture.NewAccountAsync();
        await using var client = Open();
        await client.ReadLineAsync();
        await client.SendLineAsync($"a LOGIN {account.Address} {TestMail.Password}");
        await client.ExpectMatchAsync("a OK .*");
        await Task.Delay(Short.LoginDeadline + TimeSpan.FromSeconds(1.5));
        (await client.AskAsync("b NOOP")).ShouldBe("b OK NOOP completed");
    }

    [Fact]
    public async Task A_handshake_that_fails_ends_the_session()
    {
        var log = new FieldLogger();
        var connection = fixture.Open("starttls", fixture.ServicesWith(new(), log));
        await using var client = new ScriptedClient(connection.Client);
        await client.ReadLineAsync();
        (await client.AskAsync("a STARTTLS")).ShouldBe("a OK Begin TLS negotiation now");
        await client.SendAsync("b NOOP\r\nc NOOP\r\nd NOOP\r\n"u8.ToArray());
        await connection.Served.WaitAsync(Testing.Waiting.Limit);
        System.Text.Encoding.Latin1.GetString(await client.ReadToEndAsync()).ShouldNotContain("NOOP");
        log.Entries.ShouldAllBe(entry => entry.Level <= Microsoft.Extensions.Logging.LogLevel.Information);
    }
}
