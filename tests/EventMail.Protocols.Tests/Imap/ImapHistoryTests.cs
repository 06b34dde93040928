using EventMail.Projections.Mailboxes;
using EventMail.Projections.Past;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>Mailboxes of the past beyond the transcripts history-*: what is lost, what is switched off.</summary>
public sealed class ImapHistoryTests
{
    [Fact]
    public async Task A_message_whose_content_was_given_up_says_so_and_the_session_goes_on()
    {
        await using var mail = await TestMail.StartAsync();
        var fixture = new ImapFixture();
        var account = await mail.NewAccountAsync();
        await using var before = await fixture.LogInAsync(account, fixture.ServicesWith(new(), mail: mail));
        foreach (var word in new[] { "apple", "pear", "plum" })
        {
            // Large ones are files: this one can be taken away while the server runs.
            var message = $"Subject: {word}\r\n\r\n{word} pie\r\n{(word == "pear" ? new string('x', 80_000) : "")}";
            await before.SendLineAsync($"a APPEND INBOX {{{message.Length}+}}\r\n{message}");
            await before.ExpectMatchAsync("a OK .*");
        }

        var then = PastInstant.Of(DateTimeOffset.UtcNow);
        await SayAsync(before, "b SELECT INBOX", "b OK .*");
        await SayAsync(before, @"c STORE 2 +FLAGS.SILENT (\Deleted)", "c OK .*");
        await SayAsync(before, "d EXPUNGE", "d OK .*");
        await using (var release = mail.Database.DataSource.CreateCommand("""
            with gone as (delete from eventmail.content where number = (select min(number) + 1 from eventmail.content) returning number)
            delete from message_summary where number in (select number from gone)
            """))
            await release.ExecuteNonQueryAsync();
        System.IO.Directory.Delete(Path.Combine(mail.Folder, "content"), recursive: true);

        using var summaries = new MessageSummaries(mail.Log);
        await using var client = await fixture.LogInAsync(account, fixture.ServicesWith(new(), mail: mail, indexed: false, summaries: summaries));
        await SayAsync(client, $"e EXAMINE \"#history/{then}/INBOX\"", @"e OK \[READ-ONLY\] .*");
        await client.SendLineAsync("f UID FETCH 1:* (RFC822.SIZE BODY.PEEK[TEXT])");
        await client.ExpectMatchAsync(@"\* 1 FETCH .*");
        await client.ExpectAsync("apple pie");
        await client.ExpectAsync(")");
        await client.ExpectMatchAsync(@"\* 3 FETCH .*");
        await client.ExpectAsync("plum pie");
        await client.ExpectAsync(")");
        await client.ExpectAsync("f NO [EXPUNGEISSUED] The content of some of the messages is not kept any more");
        await SayAsync(client, "g FETCH 2 (FLAGS RFC822.SIZE)", "g OK .*");
        await SayAsync(client, "h FETCH 2 ENVELOPE", @"h NO \[EXPUNGEISSUED\] .*");
        await client.SendLineAsync("i SEARCH BODY pie");
        await client.ExpectAsync("* SEARCH 1 3");
        await client.ExpectMatchAsync("i OK .*");
        await client.SendLineAsync("j SEARCH SUBJECT p");
        await client.ExpectAsync("* SEARCH 1 3");
        await client.ExpectMatchAsync("j OK .*");
        // A header that nobody can read any more sorts as an empty one, and its message is a thread of its own.
        await client.SendLineAsync("m SORT (REVERSE SUBJECT) UTF-8 ALL");
        await client.ExpectAsync("* SORT 3 1 2");
        await client.ExpectMatchAsync("m OK .*");
        await client.SendLineAsync("n THREAD REFERENCES UTF-8 ALL");
        await client.ExpectMatchAsync(@"\* THREAD (\(\d\)){3}");
        await client.ExpectMatchAsync("n OK .*");
        await SayAsync(client, "k COPY 1:3 Archive", @"k NO \[EXPUNGEISSUED\] The content of the message with UID 2 is not kept any more");
        await SayAsync(client, "l COPY 1,3 Archive", @"l OK \[COPYUID \d+ 1,3 1:2\] .*");
    }

    [Fact]
    public async Task What_sessions_hold_open_of_the_past_is_bounded_and_freed_when_they_leave()
    {
        await using var mail = await TestMail.StartAsync(past: new() { OpenMessages = 5 });
        var fixture = new ImapFixture();
        var account = await mail.NewAccountAsync();
        await using var first = await fixture.LogInAsync(account, fixture.ServicesWith(new(), mail: mail));
        await using var second = await fixture.LogInAsync(account, fixture.ServicesWith(new(), mail: mail));
        for (var i = 0; i < 3; i++)
            await SayAsync(first, "a APPEND INBOX {4+}\r\na\r\n", "a OK .*");
        var then = PastInstant.Of(DateTimeOffset.UtcNow);
        await SayAsync(first, $"b EXAMINE \"#history/{then}/INBOX\"", @"b OK \[READ-ONLY\] .*");
        await SayAsync(second, $"c EXAMINE \"#history/{then}/INBOX\"", @"c NO \[LIMIT\] .*");
        await SayAsync(second, "d EXAMINE INBOX", "d OK .*");
        await SayAsync(first, "e UNSELECT", "e OK .*");
        await SayAsync(second, $"f EXAMINE \"#history/{then}/INBOX\"", @"f OK \[READ-ONLY\] .*");
    }

    private static async Task SayAsync(ScriptedClient client, string command, string answer)
    {
        await client.SendLineAsync(command);
        while (await client.ReadLineAsync() is { } line)
        {
            if (line.StartsWith($"{command[0]} ", StringComparison.Ordinal))
            {
                line.ShouldMatch($"^{answer}$");
                return;
            }
        }

        throw new InvalidOperationException("closed");
    }
}
