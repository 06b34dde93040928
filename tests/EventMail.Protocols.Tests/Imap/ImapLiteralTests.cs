using System.Text;
using EventMail.Protocols.Imap;
using EventMail.Protocols.Wire;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>RFC 3501 §4.3, RFC 7888: what a client sends as a literal is never a command, whatever becomes of its own.</summary>
public sealed class ImapLiteralTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private async Task<ScriptedClient> ConnectAsync(ImapLimits? limits = null)
    {
        var client = new ScriptedClient(fixture.Open(services: fixture.ServicesWith(limits ?? new())).Client);
        await client.ReadLineAsync();
        return client;
    }

    private static Task SendAsync(ScriptedClient client, string text) => client.SendAsync(Encoding.Latin1.GetBytes(text));

    [Theory]
    [InlineData("{3}")]
    [InlineData("{3+}")]
    [InlineData("a\r")]
    public async Task A_password_may_end_as_a_literal_is_announced(string end)
    {
        await using var client = await ConnectAsync();
        var password = "pass" + end;
        await SendAsync(client, $"a LOGIN {{3+}}\r\nann {{{password.Length}+}}\r\n{password}\r\nb NOOP\r\n");
        await client.ExpectMatchAsync(@"a NO \[AUTHENTICATIONFAILED\] .*");
        await client.ExpectAsync("b OK NOOP completed");
    }

    [Fact]
    public async Task A_search_string_and_a_mailbox_name_may_end_so_too()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await SendAsync(client, "a SELECT {4+}\r\nx{1}\r\nb CREATE {4+}\r\nx{1}\r\nc APPEND {4+}\r\nx{1} {9+}\r\na: {7+}\r\n\r\n");
        await client.ExpectMatchAsync(@"a NO \[NONEXISTENT\] .*");
        await client.ExpectMatchAsync("b OK .*");
        await client.ExpectMatchAsync(@"c OK \[APPENDUID \d+ 1\] .*");
        await SendAsync(client, "d EXAMINE {4+}\r\nx{1}\r\n");
        while (!(await client.ReadLineAsync())!.StartsWith("d OK", StringComparison.Ordinal))
        {
        }

        await SendAsync(client, "e SEARCH TEXT {6+}\r\n: {7+}\r\nf SEARCH TEXT {4+}\r\n{8+}\r\ng NOOP\r\n");
        await client.ExpectAsync("* SEARCH 1");
        await client.ExpectAsync("e OK SEARCH completed");
        await client.ExpectAsync("* SEARCH");
        await client.ExpectAsync("f OK SEARCH completed");
        await client.ExpectAsync("g OK NOOP completed");
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_refused_under_its_tag()
    {
        await using var client = await ConnectAsync();
        await SendAsync(client, "a1 NOOP " + new string('x', 100_000) + "\r\nb NOOP\r\n");
        await client.ExpectAsync("a1 BAD [TOOBIG] Command line too long");
        await client.ExpectAsync("b OK NOOP completed");
        await SendAsync(client, new string('+', 100_000) + "\r\nc NOOP\r\n");
        await client.ExpectAsync("* BAD Command line too long");
        await client.ExpectAsync("c OK NOOP completed");
    }

    [Theory]
    [InlineData(64 * 1024)]
    [InlineData(65 * 1024)]
    [InlineData(300 * 1024)]
    public async Task The_literal_behind_a_line_that_is_too_long_is_no_command(int length)
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await SendAsync(client, "a APPEND " + new string('x', length) + " {8+}\r\nb NOOP\r\n {8+}\r\nc NOOP\r\n\r\nd NOOP\r\n");
        await client.ExpectAsync("a BAD [TOOBIG] Command line too long");
        await client.ExpectAsync("d OK NOOP completed");
        // One that the client waits with is not sent.
        await SendAsync(client, "e APPEND " + new string('x', length) + " {8}\r\nf NOOP\r\n");
        await client.ExpectAsync("e BAD [TOOBIG] Command line too long");
        await client.ExpectAsync("f OK NOOP completed");
    }

    [Fact]
    public async Task So_is_the_literal_behind_a_long_rest_of_a_line_or_in_an_idle()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await SendAsync(client, "a LIST {1+}\r\nx " + new string('x', 100_000) + " {8+}\r\nb NOOP\r\n\r\nc NOOP\r\n");
        await client.ExpectAsync("a BAD [TOOBIG] Command line too long");
        await client.ExpectAsync("c OK NOOP completed");
        await SendAsync(client, "d IDLE\r\ne APPEND x {8+}\r\nf NOOP\r\n\r\ng NOOP\r\n");
        await client.ExpectAsync("+ idling");
        await client.ExpectAsync("d BAD Expected DONE");
        await client.ExpectAsync("g OK NOOP completed");
    }

    [Fact]
    public async Task A_message_that_the_rate_limit_refuses_is_no_command()
    {
        var account = await fixture.NewAccountAsync();
        var services = fixture.ServicesWith(new(), limiter: new(new() { PerUser = 1, ExemptLoopback = false }));
        var connection = fixture.Open(services: services);
        await using var client = new ScriptedClient(connection.Client);
        await client.ReadLineAsync();
        await client.SendLineAsync($"l LOGIN {account.Address} {TestMail.Password}");
        await client.ExpectMatchAsync("l OK .*");
        await SendAsync(client, "a NOOP\r\nb APPEND INBOX {8+}\r\nc NOOP\r\n");
        await client.ExpectAsync("a OK NOOP completed");
        // The server stops: it does not wait for the next minute, and so refuses.
        connection.Connection.Stop();
        await SendAsync(client, "\r\n");
        await client.ExpectAsync("b NO [LIMIT] Too many commands, slow down");
        await client.ExpectAsync("* BYE [UNAVAILABLE] Server shutting down");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_message_that_cannot_be_stored_is_no_command()
    {
        var account = await fixture.NewAccountAsync();
        await using var mail = await TestMail.StartAsync();
        var good = fixture.Services;
        var services = new ImapServices
        {
            Mailboxes = good.Mailboxes,
            Metadata = good.Metadata,
            Directory = good.Directory,
            Accounts = good.Accounts,
            Summaries = good.Summaries,
            Contents = mail.Log.Contents,
            Authenticator = good.Authenticator,
            Log = good.Log,
        };
        await using var client = await fixture.LogInAsync(account, services);
        // Large messages go to a folder, and this one is none any more.
        System.IO.Directory.Delete(mail.Folder, recursive: true);
        await System.IO.File.WriteAllBytesAsync(mail.Folder, []);
        var size = 3 << 20;
        var message = string.Concat(Enumerable.Repeat("b NOOP\r\n", size / 8));
        await SendAsync(client, $"a APPEND INBOX {{{size}+}}\r\n{message}\r\nc NOOP\r\n");
        await client.ExpectMatchAsync(@"a NO \[SERVERBUG\] .*");
        await client.ExpectAsync("c OK NOOP completed");
        System.IO.File.Delete(mail.Folder);
        System.IO.Directory.CreateDirectory(mail.Folder);
    }

    [Fact]
    public async Task A_message_is_no_command_when_the_database_is_away()
    {
        await using var mail = await TestMail.StartAsync();
        var account = await mail.NewAccountAsync();
        var services = fixture.ServicesWith(new(), mail: mail);
        await using var client = await fixture.LogInAsync(account, services);
        await mail.Database.GoAwayAsync();
        await SendAsync(client, "a APPEND Elsewhere/There {8+}\r\nb NOOP\r\n\r\nc NOOP\r\n");
        await client.ExpectMatchAsync(@"a NO \[UNAVAILABLE\] .*");
        await client.ExpectAsync("c OK NOOP completed");
        await mail.Database.ComeBackAsync();
    }
}
