using EventMail.Domain.Mailboxes;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>RFC 4314 §4, the table: each command with each right missing, and with nothing but what it needs.</summary>
public sealed class AclTableTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private const string Message = "{6+}\r\na: 1\r\n";

    // {b}: the shared mailbox; {p}: the one above it, shared in the same way; "select": in the selected mailbox.
    public static TheoryData<string, string> Commands => new()
    {
        { "SELECT {b}", "r" },
        { "EXAMINE {b}", "r" },
        { "STATUS {b} (MESSAGES)", "r" },
        { $"APPEND {{b}} {Message}", "i" },
        { "CREATE {b}/new", "k" },
        { "DELETE {b}", "x" },
        { "RENAME {b} {p}/new", "xk" },
        { "GETACL {b}", "a" },
        { "SETACL {b} anyone p", "a" },
        { "DELETEACL {b} anyone", "a" },
        { "LISTRIGHTS {b} anyone", "a" },
        { "SUBSCRIBE {b}", "" },
        { "UNSUBSCRIBE {b}", "" },
        { "select COPY 1 INBOX", "r" },
        { "select COPY 1 {b}", "ri" },
        { "select MOVE 1 INBOX", "rte" },
        { "select UID MOVE 1 {b}", "rtei" },
        { "select STORE 1 +FLAGS (\\Seen)", "rs" },
        { "select STORE 1 -FLAGS (\\Deleted)", "rt" },
        { "select UID STORE 1 +FLAGS.SILENT (\\Flagged)", "rw" },
        { "select STORE 1 +FLAGS (Keyword)", "rw" },
        { "select EXPUNGE", "re" },
        { "select UID EXPUNGE 1", "re" },
        { "select CLOSE", "r" },
        { "select FETCH 1 (FLAGS BODY[])", "r" },
        { "select SEARCH TEXT a", "r" },
        { "select CHECK", "r" },
    };

    [Theory, MemberData(nameof(Commands))]
    public async Task A_command_is_done_by_those_who_have_the_rights_that_it_needs_and_by_nobody_else(string command, string needed)
    {
        var (owner, other) = (await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        await using var alice = await fixture.LogInAsync(owner);
        var number = 0;

        // Without "s", "w", "t", "e" and "i" a mailbox is opened read-only, which is another refusal.
        foreach (var missing in needed)
            (await TryAsync(Letters(Rights.All).Replace(missing.ToString(), "", StringComparison.Ordinal))).ShouldBe("NO [NOPERM] Permission denied", $"without {missing}");
        foreach (var spare in Letters(Rights.All).Except(needed))
            (await TryAsync(Letters(Rights.All).Replace(spare.ToString(), "", StringComparison.Ordinal))).ShouldStartWith("OK ", Case.Sensitive, $"without {spare}");
        (await TryAsync("l" + needed)).ShouldStartWith("OK ", Case.Sensitive, $"with l{needed} alone");

        async Task<string> TryAsync(string rights)
        {
            var above = $"box{++number}";
            foreach (var name in new[] { above, $"{above}/b" })
            {
                await DoneAsync(alice, $"CREATE {name}");
                await DoneAsync(alice, $"SETACL {name} {other.Address} {rights}");
            }

            await DoneAsync(alice, $"APPEND {above}/b (\\Deleted) {Message}");
            await using var bob = await fixture.LogInAsync(other);
            var prefix = $"Other Users/{owner.Address}/";
            var line = command.Replace("{b}", $"\"{prefix}{above}/b\"", StringComparison.Ordinal)
                .Replace("\"/new", "/new\"", StringComparison.Ordinal).Replace("{p}/new", $"\"{prefix}{above}/new\"", StringComparison.Ordinal);
            if (line.StartsWith("select ", StringComparison.Ordinal))
            {
                var selected = await AnswerAsync(bob, $"SELECT \"{prefix}{above}/b\"");
                if (!selected.StartsWith("OK ", StringComparison.Ordinal))
                    return selected;
                line = line["select ".Length..];
            }

            return await AnswerAsync(bob, line);
        }
    }

    // RFC 4314 §6: as if it were not there, whoever it would be that had it.
    [Theory]
    [InlineData("SELECT {b}")]
    [InlineData("EXAMINE {b}")]
    [InlineData("STATUS {b} (MESSAGES)")]
    [InlineData($"APPEND {{b}} {Message}")]
    [InlineData("CREATE {b}")]
    [InlineData("DELETE {b}")]
    [InlineData("RENAME {b} mine")]
    [InlineData("RENAME Archive {b}")]
    [InlineData("GETACL {b}")]
    [InlineData("SETACL {b} anyone l")]
    [InlineData("DELETEACL {b} anyone")]
    [InlineData("LISTRIGHTS {b} anyone")]
    [InlineData("MYRIGHTS {b}")]
    [InlineData("LIST \"\" {b}")]
    [InlineData("LIST \"\" {b} RETURN (MYRIGHTS STATUS (MESSAGES))")]
    [InlineData("SUBSCRIBE {b}")]
    [InlineData("COPY 1 {b}")]
    [InlineData("MOVE 1 {b}")]
    public async Task Nothing_tells_a_mailbox_that_is_not_shared_from_one_that_is_not_there(string command)
    {
        var (owner, other) = (await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        await using var bob = await fixture.LogInAsync(other);
        await DoneAsync(bob, $"APPEND INBOX {Message}");
        var answers = new List<string>();
        foreach (var name in new[] { $"{owner.Address}/INBOX", $"{owner.Address}/nowhere", "nobody@example.test/INBOX", $"{other.Address}/INBOX" })
        {
            await DoneAsync(bob, "SELECT INBOX");
            var line = command.Replace("{b}", $"\"Other Users/{name}\"", StringComparison.Ordinal);
            answers.Add((await AllAsync(bob, line)).Replace(name, "…", StringComparison.Ordinal));
        }

        answers.Distinct().ShouldHaveSingleItem();
    }

    private static string Letters(Rights rights) => RightsText.Of(rights);

    private static async Task DoneAsync(ScriptedClient client, string line) =>
        (await AnswerAsync(client, line)).ShouldStartWith("OK ", Case.Sensitive, line);

    /// <summary>The tagged answer without its tag.</summary>
    private static async Task<string> AnswerAsync(ScriptedClient client, string line) => (await AllAsync(client, line)).Split('\n')[^1];

    private static async Task<string> AllAsync(ScriptedClient client, string line)
    {
        var answer = new List<string>();
        await client.SendLineAsync($"x {line}");
        while (await client.ReadLineAsync() is { } said)
        {
            if (said.StartsWith("x ", StringComparison.Ordinal))
                return string.Join('\n', answer.Append(said[2..]));
            answer.Add(said);
        }

        throw client.Failure("the server closed");
    }
}
