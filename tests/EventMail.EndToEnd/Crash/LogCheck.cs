using System.Text;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Crash;

/// <summary>Compares what the read models say with what a fresh fold of the log says.</summary>
internal static class LogCheck
{
    // Rows that are derived from the log alone. Snapshots, summaries and forms are made again when they are asked for:
    // what they lead to is compared over IMAP.
    private static readonly string[] Tables = ["account", "mail_domain", "address", "mailbox", "last_login", "login_place", "login_lockout"];

    /// <summary>
    /// Drops the schema of the read models, kills the server and starts another one: it folds the log from the beginning. Its
    /// rows and its mailboxes must be the ones that were there.
    /// </summary>
    /// <returns>The new server.</returns>
    public static async Task<TestServer> EveryReadModelSaysWhatTheLogSaysAsync(
        TestServer server, IReadOnlyList<string> accounts, Func<Task<TestServer>> restart)
    {
        var mailboxes = await MailboxesAsync(server, accounts);
        var kept = await SettledTablesAsync(server);
        await SqlAsync(server, "drop schema projections_v1 cascade");
        server.Kill();
        await server.WaitForExitAsync();
        await server.DisposeAsync();

        var fresh = await restart();
        try
        {
            var folded = await TablesAsync(fresh);
            foreach (var table in Tables)
            {
                kept[table].ShouldBe(folded[table], $"projections_v1.{table} is not what the log says");
            }

            (await MailboxesAsync(fresh, accounts)).ShouldBe(mailboxes, "a mailbox is not what the log says");
            return fresh;
        }
        catch
        {
            await fresh.DisposeAsync();
            throw;
        }
    }

    private static async Task<string> MailboxesAsync(TestServer server, IReadOnlyList<string> accounts)
    {
        var text = new StringBuilder();
        foreach (var account in accounts)
        {
            await using var imap = await ImapClient.LoginAsync(server["imap"], account);
            text.AppendJoin('\n', await imap.RunAsync("STATUS INBOX (UIDVALIDITY UIDNEXT MESSAGES UNSEEN)"));
            await imap.RunAsync("EXAMINE INBOX");
            // \Recent is of the session.
            text.AppendJoin('\n', (await imap.RunAsync("UID FETCH 1:* (FLAGS RFC822.SIZE INTERNALDATE)")).Select(line => line.Replace(@"\Recent", "").Replace("( ", "(").Replace(" )", ")")));
            text.AppendJoin('\n', await UidlAsync(server, account));
        }

        return text.ToString();
    }

    private static async Task<List<string>> UidlAsync(TestServer server, string account)
    {
        for (var patience = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(50))
        {
            await using var client = await ScriptedClient.ConnectAsync(server["pop3"]);
            await client.ExpectMatchAsync(@"\+OK.*");
            await client.AskAsync($"USER {account}");
            if ((await client.AskAsync($"PASS {MailServer.Password}"))!.StartsWith("-ERR [IN-USE]", StringComparison.Ordinal))
            {
                // The session that was cut off last has not been missed yet.
                DateTime.UtcNow.ShouldBeLessThan(patience, $"the maildrop of {account} stays locked");
                continue;
            }

            (await client.AskAsync("UIDL"))!.ShouldStartWith("+OK");
            var lines = new List<string>();
            while (await client.ReadLineAsync() is { } line && line != ".")
            {
                lines.Add(line);
            }

            (await client.AskAsync("QUIT"))!.ShouldStartWith("+OK");
            return lines;
        }
    }

    // Some events follow behind an answer, \Recent claims for one: the tables are compared when nothing comes any more.
    private static async Task<Dictionary<string, string[]>> SettledTablesAsync(TestServer server)
    {
        while (true)
        {
            var before = await SqlAsync(server, "select last_value from mt_events_sequence");
            await Task.Delay(TimeSpan.FromSeconds(1));
            var tables = await TablesAsync(server);
            if ((await SqlAsync(server, "select last_value from mt_events_sequence")).SequenceEqual(before))
            {
                return tables;
            }
        }
    }

    private static async Task<Dictionary<string, string[]>> TablesAsync(TestServer server)
    {
        var tables = new Dictionary<string, string[]>();
        foreach (var table in Tables)
        {
            tables[table] = await SqlAsync(server, $"select to_jsonb(t) from projections_v1.{table} t order by 1");
        }

        return tables;
    }

    private static async Task<string[]> SqlAsync(TestServer server, string sql)
    {
        var url = await server.RunAsync("db", "url");
        url.ExitCode.ShouldBe(0, url.Error);
        var rows = await ClientProgram.RunAsync("psql", [url.Output.Trim(), "--no-align", "--tuples-only", "--quiet", "-c", sql]);
        return Encoding.UTF8.GetString(rows).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
