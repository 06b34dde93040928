using System.Text;
using EventMail.Projections.Accounts;
using EventMail.Protocols.Imap;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap.BadInput;

/// <summary>
/// The commands of all transcripts, broken at every token: each gets its tagged reply, what is refused leaves no event behind, and
/// another session notices nothing.
/// </summary>
public sealed class MalformedCommandTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    // Of each transcript's mutations so many, chosen by chance that is always the same.
    private const int PerTranscript = 120;

    public static TheoryData<string> Transcripts => [.. Transcript.Names("imap").Where(name => ValidCommands.Of(name).Any())];

    [Theory]
    [MemberData(nameof(Transcripts))]
    public async Task A_malformed_command_is_answered_and_changes_nothing(string transcript)
    {
        var (account, witness) = (await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        await using var other = await SelectedAsync(witness);
        var mutations = ValidCommands.Of(transcript).SelectMany(ValidCommands.Mutations).Distinct().Where(CanBeSent).ToArray();
        new Random(4711).Shuffle(mutations);

        var client = await SelectedAsync(account);
        var events = await EventsAsync(account);
        var number = 0;
        foreach (var mutation in mutations.Take(PerTranscript))
        {
            var command = mutation.Replace("{user}", account.Address, StringComparison.Ordinal).Replace("{pass}", TestMail.Password, StringComparison.Ordinal);
            var reply = await AskAsync(client, $"t{++number}", command);
            reply.ShouldNotContain("SERVERBUG", customMessage: command);
            if (!reply.StartsWith("* BYE", StringComparison.Ordinal) && !reply.StartsWith($"t{number} OK", StringComparison.Ordinal))
            {
                // NO or BAD.
                (await EventsAsync(account)).ShouldBe(events, command);
                continue;
            }

            // A mutation may be a good command as well: it may have selected another mailbox, or none.
            await client.DisposeAsync();
            client = await SelectedAsync(account);
            events = await EventsAsync(account);
        }

        await client.DisposeAsync();
        await other.SendLineAsync("z FETCH 1:* FLAGS");
        await other.ExpectMatchAsync(@"\* 1 FETCH \(FLAGS \(.*\)\)");
        await other.ExpectMatchAsync("z OK .*");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("x")]
    [InlineData("( NOOP")]
    [InlineData("+ NOOP")]
    [InlineData("\"t\" NOOP")]
    [InlineData("\0 NOOP")]
    [InlineData("\x80 NOOP")]
    [InlineData("tag  NOOP")]
    public async Task A_line_without_a_tag_is_told_so_without_one(string line)
    {
        await using var client = await SelectedAsync(await fixture.NewAccountAsync());
        await client.SendAsync(Encoding.Latin1.GetBytes(line + "\r\na NOOP\r\n"));
        await client.ExpectMatchAsync(@"(\* BAD|tag BAD) .*");
        await client.ExpectAsync("a OK NOOP completed");
    }

    /// <summary>The tagged reply, or BYE.</summary>
    private static async Task<string> AskAsync(ScriptedClient client, string tag, string command)
    {
        // A bare CR or LF in a mutation would end the line: both sides see the same octets, so the line is what counts.
        await client.SendAsync(Encoding.Latin1.GetBytes($"{tag} {command}\r\n"));
        // Who announces a literal without waiting (RFC 7888) sends it.
        if (command.EndsWith("+}", StringComparison.Ordinal))
            await client.SendLineAsync(new string(' ', LiteralSize(command)));
        while (await client.ReadLineAsync() is { } line)
        {
            if (line.StartsWith($"{tag} ", StringComparison.Ordinal) || line.StartsWith("* BYE", StringComparison.Ordinal))
                return line;
            if (line.StartsWith("+ ", StringComparison.Ordinal))
                // It asks for a literal: so many octets and the end of the line.
                await client.SendLineAsync(new string(' ', LiteralSize(command)));
        }

        throw client.Failure("closed without a BYE");
    }

    // A literal that a server reads away before it answers (RFC 7888 §4) must not take all day.
    private static bool CanBeSent(string command) =>
        !command.EndsWith("+}", StringComparison.Ordinal) || command.EndsWith("{0+}", StringComparison.Ordinal) || LiteralSize(command) > 0;

    private static int LiteralSize(string command)
    {
        var digits = command[(command.LastIndexOf('{') + 1)..].TrimEnd('}', '+');
        return int.TryParse(digits, out var size) && size < 1 << 20 ? size : 0;
    }

    private async Task<ScriptedClient> SelectedAsync(AccountEntry account)
    {
        var client = await fixture.LogInAsync(account, fixture.ServicesWith(new() { MaxErrors = int.MaxValue }));
        await client.SendLineAsync("s SELECT INBOX");
        var isEmpty = false;
        while (await client.ReadLineAsync() is { } line && !line.StartsWith("s OK", StringComparison.Ordinal))
            isEmpty |= line == "* 0 EXISTS";
        if (!isEmpty)
            return client;
        await client.SendAsync("m APPEND INBOX {15+}\r\nSubject: x\r\n\r\nx\r\n"u8.ToArray());
        while (await client.ReadLineAsync() is { } line && !line.StartsWith("m OK", StringComparison.Ordinal))
        {
        }

        return client;
    }

    // RecentClaimed comes a moment behind the SELECT that it is for.
    private async Task<long> EventsAsync(AccountEntry account)
    {
        await using var command = fixture.Mail.Log.DataSource.CreateCommand(
            "select count(*) from mt_events where tenant_id = $1 and type not in ('recent_claimed', 'login_succeeded')");
        command.Parameters.Add(new() { Value = account.Account });
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
