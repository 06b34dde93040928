using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.BadInput;

/// <summary>What bounds commands and connections (<see cref="ImapLimits"/>): just within the limit, and just beyond it.</summary>
public sealed class LimitTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private static string Times(int count, string text) => string.Concat(Enumerable.Repeat(text, count));

    private static string Literal(int size) => $"{{{size}+}}\r\n{new string('x', size)}";

    [Fact]
    public async Task A_line_has_a_length()
    {
        await using var client = await LoggedInAsync(new() { MaxLineLength = 100 });
        await RepliesAsync(client, $"a ID (\"x\" \"{new string('x', 100 - 13)}\")", "* ID (\"name\" \"EventMail\" \"version\" \"test\")", "a OK ID completed");
        await RepliesAsync(client, $"a ID (\"x\" \"{new string('x', 101 - 13)}\")", "a BAD [TOOBIG] Command line too long");
    }

    [Fact]
    public async Task A_literal_has_a_size()
    {
        await using var client = await LoggedInAsync(new() { MaxLiteral = 100 });
        await IsTakenAsync(client, $"a CREATE {Literal(100)}");
        await RepliesAsync(client, $"a CREATE {Literal(101)}", "a BAD [TOOBIG] Literal too large");
    }

    [Fact]
    public async Task A_command_with_its_literals_has_a_size()
    {
        await using var client = await LoggedInAsync(new() { MaxCommandSize = 300 });
        await RepliesAsync(client, $"a RENAME {Literal(100)} {Literal(100)}", "a NO [NONEXISTENT] No such mailbox");
        await RepliesAsync(client, $"a RENAME {Literal(150)} {Literal(150)}", "a BAD [TOOBIG] Literal too large");
    }

    [Fact]
    public async Task A_command_before_the_login_has_a_smaller_one_and_is_refused_before_its_literal_is_sent()
    {
        await using var client = await ConnectedAsync(new());
        var limits = new ImapLimits();
        await client.SendLineAsync($"a LOGIN {{{limits.MaxCommandSizeBeforeLogin}}}");
        await client.ExpectAsync("a BAD [TOOBIG] Literal too large");
        await client.SendLineAsync($"b LOGIN {{{limits.MaxCommandSizeBeforeLogin - 100}}}");
        await client.ExpectAsync("+ OK");
    }

    [Theory]
    [InlineData(1000, "a BAD [TOOBIG] Literal too large")]
    [InlineData(1001, "* BYE [TOOBIG] Literal too large")]
    public async Task What_is_read_away_has_a_size(int size, string answer)
    {
        var limits = new ImapLimits { MaxLiteral = 100, MaxSkipped = 1000, MaxCommandSizeBeforeLogin = 100, MaxSkippedBeforeLogin = 1000 };
        await using var client = await LoggedInAsync(limits with { MaxCommandSizeBeforeLogin = 1000 });
        await RepliesAsync(client, $"a SELECT {Literal(size)}", answer);
        await using var stranger = await ConnectedAsync(limits);
        await RepliesAsync(stranger, $"a LOGIN {Literal(size)}", answer);
    }

    [Fact]
    public async Task A_message_has_a_size()
    {
        await using var client = await LoggedInAsync(new() { MaxMessageSize = 1000 });
        await IsTakenAsync(client, $"a APPEND INBOX {Literal(1000)}");
        await RepliesAsync(client, $"a APPEND INBOX {Literal(1001)}", "a NO [TOOBIG] Message too large");
        // Before it is sent.
        await RepliesAsync(client, "a APPEND INBOX {1001}", "a NO [TOOBIG] Message too large");
    }

    [Fact]
    public async Task Who_does_not_log_in_may_be_silent_for_so_long()
    {
        await using var client = await ConnectedAsync(new() { LoginTimeout = TimeSpan.FromMilliseconds(300) });
        await client.ExpectAsync("* BYE Idle timeout");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task Bad_commands_in_a_row_are_so_many()
    {
        await using var client = await LoggedInAsync(new() { MaxErrors = 3 });
        foreach (var command in (string[])["NOSUCH", "FETCH", "NOOP", "NOSUCH", "FETCH", "NOSUCH"])
        {
            await client.SendLineAsync($"a {command}");
            await client.ExpectMatchAsync("a (BAD|OK) .*");
        }

        await client.ExpectAsync("* BYE Too many errors");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task An_account_has_so_many_sessions_at_once()
    {
        var account = await fixture.NewAccountAsync();
        var services = fixture.ServicesWith(new() { MaxSessionsPerUser = 2 });
        await using var first = await fixture.LogInAsync(account, services);
        await using var second = await fixture.LogInAsync(account, services);
        await using var third = new ScriptedClient(fixture.Open(services: services).Client);
        await third.ReadLineAsync();
        (await third.AskAsync(LogInOf(account))).ShouldBe("l NO [LIMIT] Too many sessions of this account");
        // Another one's are others.
        (await third.AskAsync(LogInOf(await fixture.NewAccountAsync())))!.ShouldStartWith("l OK");
        (await first.AskAsync("a UNAUTHENTICATE"))!.ShouldStartWith("a OK");
        (await first.AskAsync(LogInOf(account)))!.ShouldStartWith("l OK");
    }

    [Fact]
    public async Task A_FETCH_has_so_many_data_items()
    {
        await using var client = await SelectedAsync(new() { MaxFetchItems = 3 });
        await RepliesAsync(client, "a FETCH 1:* (UID FLAGS RFC822.SIZE)", "a OK FETCH completed");
        await RepliesAsync(client, "a FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)", "a BAD Too many data items");
    }

    [Fact]
    public async Task Search_keys_are_within_each_other_so_deep()
    {
        await using var client = await SelectedAsync(new() { MaxSearchDepth = 5 });
        foreach (var (open, close) in ((string, string)[])[("(", ")"), ("NOT ", ""), ("OR SEEN ", "")])
        {
            await RepliesAsync(client, $"a SEARCH {Times(4, open)}UNSEEN{Times(4, close)}", "* SEARCH", "a OK SEARCH completed");
            await RepliesAsync(client, $"a SEARCH {Times(5, open)}UNSEEN{Times(5, close)}", "a BAD Search too complex");
        }
    }

    [Fact]
    public async Task A_SEARCH_has_so_many_keys()
    {
        await using var client = await SelectedAsync(new() { MaxSearchKeys = 4 });
        await RepliesAsync(client, "a SEARCH SEEN (NOT SEEN)", "* SEARCH", "a OK SEARCH completed");
        await RepliesAsync(client, "a SEARCH SEEN (NOT SEEN SEEN)", "a BAD Search too complex");
    }

    private static string LogInOf(AccountEntry account) => $"l LOGIN {account.Address} {TestMail.Password}";

    private async Task<ScriptedClient> ConnectedAsync(ImapLimits limits)
    {
        var client = new ScriptedClient(fixture.Open(services: fixture.ServicesWith(limits)).Client);
        await client.ReadLineAsync();
        return client;
    }

    private async Task<ScriptedClient> LoggedInAsync(ImapLimits limits) =>
        await fixture.LogInAsync(await fixture.NewAccountAsync(), fixture.ServicesWith(limits));

    private async Task<ScriptedClient> SelectedAsync(ImapLimits limits)
    {
        var client = await LoggedInAsync(limits);
        await client.SendLineAsync("s SELECT INBOX");
        while (await client.ReadLineAsync() is { } line && !line.StartsWith("s OK", StringComparison.Ordinal))
        {
        }

        return client;
    }

    private static async Task RepliesAsync(ScriptedClient client, string command, params string[] answers)
    {
        await client.SendAsync(Encoding.ASCII.GetBytes(command + "\r\n"));
        foreach (var answer in answers)
            await client.ExpectAsync(answer);
    }

    private static async Task IsTakenAsync(ScriptedClient client, string command)
    {
        await client.SendAsync(Encoding.ASCII.GetBytes(command + "\r\n"));
        (await client.ReadLineAsync())!.ShouldStartWith("a OK ");
    }
}
