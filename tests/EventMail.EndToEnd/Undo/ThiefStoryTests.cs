using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Undo;

/// <summary>
/// As an operator would live it: a thief empties a mailbox; who it was is found, what there was is seen, and it is brought back; the log
/// proves itself, and does not any more once a row is altered by hand. All the while mail flows, others work in their mailboxes, and
/// the read models are made anew and changed over to.
/// </summary>
public sealed partial class ThiefStoryTests
{
    private const int Messages = 520;
    private const int Stolen = 500;

    [NeedsFact("psql")]
    public async Task A_thief_is_found_and_undone_while_mail_flows_and_the_read_models_are_changed_over()
    {
        await using var server = await TestServer.StartAsync(new() { Settings = MailServer.Settings });
        var (owner, other) = (await MailServer.NewAccountAsync(server), await MailServer.NewAccountAsync(server));

        // Mail flows, and the owner lives with it.
        await FillAsync(server, owner, Messages);
        await using var client = await ImapClient.LoginAsync(server["imap"], owner);
        await client.RunAsync("SELECT INBOX");
        await client.RunAsync(@"STORE 1:300 +FLAGS.SILENT (\Seen)");
        await client.RunAsync(@"STORE 7,77,177 +FLAGS.SILENT (\Flagged receipts)");
        await client.RunAsync("CREATE Work");
        await client.RunAsync("UID MOVE 511:520 Work");
        var (before, work) = (await PictureAsync(client, "INBOX"), await PictureAsync(client, "Work"));
        before.Count.ShouldBe(Messages - 10);
        await client.RunAsync("UNSELECT");

        await using var bystander = Bystander.Begin(server, other);
        await using var mail = MailFlow.Begin(server, other);
        var instant = DateTimeOffset.UtcNow;

        // A thief comes.
        await using (var thief = await ImapClient.LoginAsync(server["imap"], owner))
        {
            await thief.RunAsync("SELECT INBOX");
            await thief.RunAsync($@"STORE 1:{Stolen} +FLAGS.SILENT (\Deleted)");
            await thief.RunAsync("EXPUNGE");
            await thief.RunAsync("LOGOUT");
        }

        await Delivery.SendAsync(server["smtp"], owner, "Subject: later\r\nMessage-ID: <later@example.org>\r\n\r\nLater\r\n");
        var rebuild = server.RunAsync("projections", "rebuild");

        // Who was it, and what did he do?
        var history = await DoAsync(server, "history", owner, "--since", instant.ToString("O", CultureInfo.InvariantCulture));
        var session = ExpungeLine().Match(history).Groups["session"].Value;
        session.ShouldNotBeEmpty(history);
        var deeds = await DoAsync(server, "history", "--session", session);
        deeds.ShouldContain($"1:{Stolen} deleted for good");
        deeds.ShouldContain("127.0.0.1");
        deeds.ShouldNotContain("Work");

        // What was there before?
        var then = $"#history/{instant.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}";
        (await PictureAsync(client, $"{then}/Work")).ShouldBe(work);
        (await PictureAsync(client, $"{then}/INBOX")).ShouldBe(before);
        (await client.RunAsync("UID SEARCH SUBJECT \"message 42 of\"")).ShouldContain("* SEARCH 42");

        // Undone.
        (await DoAsync(server, "restore", "--session", session, owner, "--dry-run")).ShouldContain($"INBOX: {Stolen} messages back");
        (await DoAsync(server, "restore", "--session", session, owner)).ShouldContain($"INBOX: {Stolen} messages back");
        var after = await PictureAsync(client, "INBOX");
        after.Count.ShouldBe(before.Count + 1, "and the message that came since");
        foreach (var (email, state) in before)
            after[email].ShouldBe(state);
        (await PictureAsync(client, "Work")).ShouldBe(work);

        // A new generation serves, and nobody noticed.
        var rebuilt = await rebuild;
        rebuilt.ExitCode.ShouldBe(0, rebuilt.Output + rebuilt.Error);
        (await PictureAsync(client, "INBOX")).ShouldBe(after);
        (await bystander.EndAsync()).ShouldBeGreaterThan(20);
        var sent = await mail.EndAsync();
        sent.ShouldBeGreaterThan(5);
        await using (var check = await ImapClient.LoginAsync(server["imap"], other))
            (await check.RunAsync("STATUS INBOX (MESSAGES)")).ShouldContain($"* STATUS INBOX (MESSAGES {sent + 1})", "what flowed, and what the bystander had first");

        // The log proves itself, until somebody lays a hand on it.
        var proof = await server.RunAsync("audit", "verify");
        proof.ExitCode.ShouldBe(0, proof.Output + proof.Error);
        var position = (await SqlAsync(server, $"""
            update public.mt_events set data = jsonb_set(data, '{"{Bytes}"}', '1')
            where type = 'messages_expunged' and correlation_id = '{session}' returning seq_id
            """)).Single();
        proof = await server.RunAsync("audit", "verify");
        proof.ExitCode.ShouldBe(4, proof.Output + proof.Error);
        proof.Output.ShouldContain($"CHANGED  position {position}, messages_expunged");
    }

    private static async Task<string> DoAsync(TestServer server, params string[] arguments)
    {
        var result = await server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Output + result.Error);
        return result.Output;
    }

    private static async Task<string[]> SqlAsync(TestServer server, string sql)
    {
        var url = (await DoAsync(server, "db", "url")).Trim();
        var rows = await ClientProgram.RunAsync("psql", [url, "--no-align", "--tuples-only", "--quiet", "-c", sql]);
        return Encoding.UTF8.GetString(rows).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static async Task FillAsync(TestServer server, string recipient, int count)
    {
        await using var smtp = await ScriptedClient.ConnectAsync(server["smtp"]);
        await smtp.ExpectMatchAsync("220 .*");
        await smtp.SendLineAsync("HELO client.example.org");
        await smtp.ExpectMatchAsync("250 .*");
        for (var i = 1; i <= count; i++)
        {
            foreach (var (line, answer) in ((string, string)[])[("MAIL FROM:<sender@example.org>", "250 .*"), ($"RCPT TO:<{recipient}>", "250 .*"), ("DATA", "354 .*")])
            {
                await smtp.SendLineAsync(line);
                await smtp.ExpectMatchAsync(answer);
            }

            await smtp.SendLineAsync($"Subject: message {i} of many\r\nMessage-ID: <{i}@example.org>\r\n\r\nBody {i}\r\n.");
            await smtp.ExpectMatchAsync("250 .*");
        }
    }

    /// <summary>What must be again as it was, by what never changes of a message.</summary>
    private static async Task<Dictionary<string, string>> PictureAsync(ImapClient client, string mailbox)
    {
        await client.RunAsync($"EXAMINE \"{mailbox}\"");
        var messages = new Dictionary<string, string>();
        foreach (var line in await client.RunAsync("UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE EMAILID)"))
        {
            if (Fetched().Match(line) is { Success: true } match)
            {
                var flags = match.Groups["flags"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(flag => flag != @"\Recent").Order(StringComparer.Ordinal);
                messages.Add(match.Groups["email"].Value, $"{string.Join(' ', flags)} {match.Groups["date"].Value} {match.Groups["size"].Value}");
            }
        }

        return messages;
    }

    [GeneratedRegex(@"FLAGS \((?<flags>[^)]*)\) INTERNALDATE ""(?<date>[^""]*)"" RFC822\.SIZE (?<size>\d+) EMAILID \((?<email>[^)]*)\)")]
    private static partial Regex Fetched();

    [GeneratedRegex(@"INBOX: .*500.*deleted for good.*session (?<session>[^\]\s,]+)")]
    private static partial Regex ExpungeLine();
}
