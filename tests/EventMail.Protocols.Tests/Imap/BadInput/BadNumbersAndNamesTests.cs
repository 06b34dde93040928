using System.Text;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.BadInput;

/// <summary>Numbers beyond their range, names that are no text, nesting without end, literals without measure: refused, and the session goes on.</summary>
public sealed class BadNumbersAndNamesTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    [Theory]
    [InlineData("UID FETCH 4294967296 FLAGS")]
    [InlineData("UID FETCH 0 FLAGS")]
    [InlineData("UID FETCH 1:18446744073709551616 FLAGS")]
    [InlineData("FETCH 4294967297 FLAGS")]
    [InlineData("FETCH 1 BODY[4294967296]")]
    [InlineData("FETCH 1 BODY[]<18446744073709551616.1>")]
    [InlineData("FETCH 1 BODY[]<0.18446744073709551616>")]
    [InlineData("FETCH 1 (FLAGS) (CHANGEDSINCE 9223372036854775808)")]
    [InlineData("FETCH 1 (FLAGS) (CHANGEDSINCE 18446744073709551616)")]
    [InlineData("STORE 1 (UNCHANGEDSINCE 9223372036854775808) +FLAGS (\\Seen)")]
    [InlineData("STORE 4294967296 +FLAGS (\\Seen)")]
    [InlineData("SEARCH MODSEQ 9223372036854775808")]
    [InlineData("SEARCH LARGER 18446744073709551616")]
    [InlineData("SEARCH UID 4294967296")]
    [InlineData("SELECT INBOX (QRESYNC (4294967296 1))")]
    [InlineData("SELECT INBOX (QRESYNC (1 9223372036854775808))")]
    [InlineData("COPY 4294967296 Trash")]
    [InlineData("UID EXPUNGE 4294967296")]
    public Task A_number_beyond_its_range_is_refused(string command) => RefusedAsync(command);

    [Theory]
    [InlineData("\"&\"")]
    [InlineData("\"&AGEA-\"")] // ASCII in modified BASE64
    [InlineData("\"&Jjo!-\"")]
    [InlineData("\"&2AA-\"")] // half a surrogate pair
    [InlineData("\"&Jjo\"")]
    [InlineData("\"&AAA-\"")] // NUL
    [InlineData("\"a\xFF\xFE\"")]
    [InlineData("\"\xC0\x80\"")]
    [InlineData("\"\xED\xA0\x80\"")]
    public async Task A_name_that_is_no_text_names_no_mailbox(string name)
    {
        foreach (var verb in (string[])["SELECT", "CREATE", "DELETE", "SUBSCRIBE", "RENAME INBOX"])
            await RefusedAsync($"{verb} {name}");
        await RefusedAsync($"STATUS {name} (MESSAGES)");
        await RefusedAsync($"COPY 1 {name}");
    }

    public static TheoryData<string> Deep =>
    [
        "SEARCH " + new string('(', 60_000),
        "SEARCH " + new string('(', 500) + "ALL" + new string(')', 500),
        "SEARCH " + string.Concat(Enumerable.Repeat("NOT ", 10_000)) + "ALL",
        "SEARCH " + string.Concat(Enumerable.Repeat("OR ALL ", 2000)) + "ALL",
        "SEARCH " + string.Concat(Enumerable.Repeat("ALL ", 5000)) + "ALL",
        "FETCH 1 " + new string('(', 10_000),
        "FETCH 1 (" + string.Concat(Enumerable.Range(1, 5000).Select(i => $"BODY[{i}] ")) + "UID)",
        "FETCH 1 BODY[" + string.Concat(Enumerable.Repeat("1.", 10_000)) + "1]",
        "LIST " + new string('(', 10_000),
        "STATUS INBOX " + new string('(', 10_000),
        "ID " + new string('(', 10_000),
        "STORE 1 FLAGS " + new string('(', 10_000),
        "NOOP" + new string(' ', 10_000),
    ];

    [Theory]
    [MemberData(nameof(Deep))]
    public Task Nesting_and_lists_without_end_are_refused(string command) => RefusedAsync(command);

    [Theory]
    [InlineData("SEARCH TEXT {65537}")]
    [InlineData("SELECT {999999999}")]
    [InlineData("LIST \"\" {9223372036854775807}")]
    [InlineData("SELECT {9223372036854775808}")]
    [InlineData("SELECT {99999999999999999999999}")]
    [InlineData("APPEND INBOX {52428801}")]
    [InlineData("APPEND INBOX {9223372036854775807}")]
    [InlineData("APPEND INBOX {18446744073709551615}")]
    public Task A_literal_that_is_too_large_is_refused_before_it_is_sent(string command) => RefusedAsync(command);

    [Fact]
    public async Task A_literal_that_does_not_wait_and_is_beyond_measure_ends_the_session()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        (await client.AskAsync("a SELECT {9000000000000+}")).ShouldBe("* BYE [TOOBIG] Literal too large");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_line_without_end_ends_the_session()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), fixture.ServicesWith(new() { MaxSkippedLine = 200_000 }));
        await client.SendAsync(Encoding.ASCII.GetBytes("a SEARCH " + new string('x', 150_000)));
        await client.SendAsync(Encoding.ASCII.GetBytes(new string('x', 60_000)));
        (await client.ReadLineAsync()).ShouldBe("* BYE [TOOBIG] Command line too long");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_deflated_line_without_end_ends_the_session_too()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        (await client.AskAsync("a COMPRESS DEFLATE")).ShouldBe("a OK DEFLATE active");
        client.StartDeflate();
        // Some kilobytes on the wire.
        await client.SendAsync(Encoding.ASCII.GetBytes("b SEARCH " + new string('x', 8 << 20)));
        (await client.ReadLineAsync()).ShouldBe("* BYE [TOOBIG] Command line too long");
    }

    private async Task RefusedAsync(string command)
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await client.SendAsync("m APPEND INBOX {15+}\r\nSubject: x\r\n\r\nx\r\n"u8.ToArray());
        await client.ExpectMatchAsync("m OK .*");
        await SkipToAsync(client, "e EXAMINE INBOX", "e OK");
        await client.SendAsync(Encoding.Latin1.GetBytes($"a {command}\r\n"));
        await client.ExpectMatchAsync("a (BAD|NO) .*");
        (await client.AskAsync("b NOOP")).ShouldBe("b OK NOOP completed");
    }

    private static async Task SkipToAsync(ScriptedClient client, string command, string end)
    {
        await client.SendLineAsync(command);
        while (await client.ReadLineAsync() is { } line && !line.StartsWith(end, StringComparison.Ordinal))
        {
        }
    }
}
