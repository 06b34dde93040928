using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.EndToEnd;

/// <summary>What happened is in the log, for whoever asks with SQL and for whoever asks with `eventmail history`.</summary>
public sealed class StoryTests(MailServer server) : IClassFixture<MailServer>
{
    [NeedsFact("psql")]
    public async Task The_log_and_the_history_tell_what_happened()
    {
        var account = await server.NewAccountAsync();
        var before = await CountsAsync();
        await Delivery.SendAsync(server["smtp"], account, "Subject: One\r\nMessage-ID: <one@example.org>\r\n\r\nBody\r\n");
        await Delivery.SendAsync(server["smtp"], account, "Subject: Two\r\nMessage-ID: <two@example.org>\r\n\r\nBody\r\n");
        await using (var imap = await ImapClient.LoginAsync(server["imap"], account))
        {
            await imap.RunAsync("SELECT INBOX");
            await imap.RunAsync(@"STORE 1 +FLAGS (\Flagged)");
            await imap.RunAsync("UID COPY 1 Archive");
            await imap.RunAsync("LOGOUT");
        }

        await using (var pop3 = await server.ConnectAsync("pop3"))
        {
            await pop3.ExpectMatchAsync(@"\+OK.*");
            foreach (var line in new[] { $"USER {account}", $"PASS {MailServer.Password}", "DELE 2", "QUIT" })
            {
                await pop3.SendLineAsync(line);
                await pop3.ExpectMatchAsync(@"\+OK.*");
            }
        }

        var after = await CountsAsync();
        Difference("message_received").ShouldBe(2);
        Difference("flags_changed").ShouldBe(1);
        Difference("messages_copied_in").ShouldBe(1);
        Difference("messages_expunged").ShouldBe(1);
        Difference("login_succeeded").ShouldBe(2);

        var history = await server.Server.RunAsync("history", account);
        history.ExitCode.ShouldBe(0, history.Error);
        foreach (var word in new[] { "one@example.org", "two@example.org", @"\Flagged", "Archive", "pop3", "imap", "127.0.0.1" })
        {
            history.Output.ShouldContain(word);
        }

        long Difference(string type) => after.GetValueOrDefault(type) - before.GetValueOrDefault(type);
    }

    // The guide on path traversal: what has a name on disk is named by us.
    [Fact]
    public async Task Guide_No_name_that_a_client_sends_becomes_a_files_name()
    {
        var account = await server.NewAccountAsync();
        var evil = "evil" + Guid.NewGuid().ToString("N");
        // Large enough to be a file.
        var attachment = string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", 2000));
        foreach (var name in new[] { $"../../{evil}", $"/tmp/{evil}", $"..\\\\..\\\\{evil}", $"%2e%2e%2f{evil}" })
        {
            await Delivery.SendAsync(server["smtp"], account,
                $"Subject: {name}\r\nMessage-ID: <{name}@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n" +
                $"Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{attachment}");
        }

        await using (var imap = await ImapClient.LoginAsync(server["imap"], account))
        {
            foreach (var (name, number) in new[] { $"a/../../{evil}", $"../{evil}", $"/tmp/{evil}" }.Select((name, number) => (name, number)))
            {
                // Refused or taken: it is a name in the log either way.
                await imap.Script.SendLineAsync($"c{number} CREATE \"{name}\"");
                await imap.Script.ExpectMatchAsync($"c{number} (OK|NO) .*");
            }

            await imap.RunAsync("SELECT INBOX");
            (await imap.RunAsync("FETCH 1:* BODYSTRUCTURE")).Count.ShouldBe(4);
        }

        var folder = server.Server.DataFolder;
        var files = Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFileSystemEntries(Path.GetTempPath())).ToList();
        files.ShouldNotContain(file => file.Contains(evil));
        var contents = files.Where(file => file.StartsWith(Path.Combine(folder, "content") + "/", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Path.Combine(folder, "content"), file)).ToList();
        contents.Count(file => Path.GetFileName(file).Length > 64).ShouldBeGreaterThanOrEqualTo(4);
        contents.ShouldAllBe(file => Regex.IsMatch(file, "^(tmp(/[0-9a-f]{32})?|([0-9a-f]{2})(/[0-9a-f]{2}(/[0-9a-f]{64}-[0-9]+)?)?)$"));
    }

    private async Task<Dictionary<string, long>> CountsAsync()
    {
        var url = await server.Server.RunAsync("db", "url");
        url.ExitCode.ShouldBe(0, url.Error);
        var rows = await ClientProgram.RunAsync(
            "psql", [url.Output.Trim(), "--no-align", "--tuples-only", "--field-separator", "=", "-c", "select type, count(*) from mt_events group by 1"]);
        return Encoding.UTF8.GetString(rows).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(row => row.Split('='))
            .ToDictionary(pair => pair[0], pair => long.Parse(pair[1], System.Globalization.CultureInfo.InvariantCulture));
    }
}
