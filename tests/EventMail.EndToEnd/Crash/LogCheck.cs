using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.EndToEnd.Crash;

/// <summary>Compares what the read models say with what a fresh fold of the log says.</summary>
internal static partial class LogCheck
{
    private const char KeyEnd = '|';

    // Behind the position: what follows the log is at its end.
    private const string Settled = " 0";

    // Before the rows of each table, where all are read at once.
    private const string TableBegins = ">> ";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private static readonly ConditionalWeakTable<TestServer, string> Urls = [];

    /// <summary>
    /// Drops the schema of the read models, kills the server and starts another one: it folds the log from the beginning. Its
    /// rows and its mailboxes must be the ones that were there.
    /// </summary>
    /// <returns>The new server.</returns>
    public static async Task<TestServer> EveryReadModelSaysWhatTheLogSaysAsync(
        TestServer server, IReadOnlyList<string> accounts, Func<Task<TestServer>> restart)
    {
        await SettledTablesAsync(server);
        var mailboxes = await MailboxesAsync(server, accounts);
        var kept = await SettledTablesAsync(server);
        (await SqlAsync(server, "select table_name from information_schema.tables where table_schema = 'projections' order by 1"))
            .ShouldBe(ReadModelTables.All, ignoreOrder: true, "each table of the read models is compared in some way");
        await SqlAsync(server, "drop schema projections cascade");
        server.Kill();
        await server.WaitForExitAsync();
        await server.DisposeAsync();

        var fresh = await restart();
        try
        {
            var folded = await SettledTablesAsync(fresh);
            foreach (var table in ReadModelTables.Derived)
            {
                // Not whole tables in the message.
                kept[table].Except(folded[table]).Take(3).ShouldBeEmpty($"projections.{table} has rows that the log does not say");
                folded[table].Except(kept[table]).Take(3).ShouldBeEmpty($"projections.{table} lacks rows that the log says");
            }

            (await MailboxesAsync(fresh, accounts)).ShouldBe(mailboxes, "a mailbox is not what the log says");
            var asked = await TablesAsync(fresh);
            foreach (var table in ReadModelTables.MadeWhenAsked.Keys)
            {
                var both = asked[table].Select(KeyOf).Intersect(kept[table].Select(KeyOf)).ToHashSet();
                asked[table].Where(row => both.Contains(KeyOf(row))).ShouldBe(kept[table].Where(row => both.Contains(KeyOf(row))), $"projections.{table} is not what the log says");
            }

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
            await imap.RunAsync("ENABLE QRESYNC");
            var list = await AddAsync("LIST \"\" * RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)");
            await AddAsync("LSUB \"\" *");
            await AddAsync("GETMETADATA (DEPTH infinity) \"\" (/private /shared)");
            foreach (var mailbox in list.Where(line => !line.Contains(@"\Non", StringComparison.Ordinal) && !line.Contains(@"\Noselect", StringComparison.Ordinal))
                .Select(line => Name().Match(line).Groups[1].Value))
            {
                await AddAsync($"STATUS {mailbox} (UIDVALIDITY UIDNEXT MESSAGES UNSEEN DELETED SIZE HIGHESTMODSEQ MAILBOXID)");
                await AddAsync($"MYRIGHTS {mailbox}");
                await AddAsync($"GETQUOTAROOT {mailbox}");
                await imap.RunAsync($"EXAMINE {mailbox}");
                await AddAsync("UID FETCH 1:* (FLAGS MODSEQ RFC822.SIZE INTERNALDATE SAVEDATE EMAILID THREADID PREVIEW ENVELOPE BODYSTRUCTURE)");
                await AddAsync("UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)");
                await AddAsync("UID SEARCH TEXT word");
                await AddAsync("THREAD REFERENCES UTF-8 ALL");
                if (!mailbox.Contains("Other Users", StringComparison.Ordinal))
                {
                    await AddAsync($"GETACL {mailbox}");
                    await AddAsync($"GETMETADATA (DEPTH infinity) {mailbox} (/private /shared)");
                }
            }

            text.AppendJoin('\n', await UidlAsync(server, account));

            async Task<IReadOnlyList<string>> AddAsync(string command)
            {
                var lines = await imap.RunAsync(command);
                // \Recent is of the session.
                text.Append(command).Append('\n').AppendJoin('\n', lines.Select(line => line.Replace(@"\Recent", "").Replace("( ", "(").Replace(" )", ")"))).Append('\n');
                return lines;
            }
        }

        return text.ToString();
    }

    private static async Task<List<string>> UidlAsync(TestServer server, string account)
    {
        for (var patience = DateTime.UtcNow + Waiting.Limit; ; await Task.Delay(50))
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

    // Some events follow behind an answer, \Recent claims for one: the tables are compared when nothing comes any more, and what
    // follows the log has come to its end. One that begins anew has no position until its first page is done.
    private static async Task<Dictionary<string, string[]>> SettledTablesAsync(TestServer server)
    {
        const string state = """
            select coalesce(max(seq_id), 0) || ' ' || (select case when min(last_seq_id) >= max(e.seq_id) then 0 else 1 end from mt_event_progression)
            from mt_events e
            """;
        for (var patience = DateTime.UtcNow + Patience; ; DateTime.UtcNow.ShouldBeLessThan(patience, "the log or what follows it does not come to rest"))
        {
            var before = await SqlAsync(server, state);
            await Task.Delay(before[0].EndsWith(Settled, StringComparison.Ordinal) ? Quiet : Look);
            // Tables are large: they are read when there is something to be had from it.
            if (!before[0].EndsWith(Settled, StringComparison.Ordinal) || !(await SqlAsync(server, state)).SequenceEqual(before))
            {
                continue;
            }

            var tables = await TablesAsync(server);
            if ((await SqlAsync(server, state)).SequenceEqual(before))
            {
                return tables;
            }
        }
    }

    private static async Task<Dictionary<string, string[]>> TablesAsync(TestServer server)
    {
        var queries = new List<string>();
        foreach (var table in ReadModelTables.Derived)
        {
            queries.AddRange([$"select '{TableBegins}{table}'", $"select {ReadModelTables.RowOf(table)} from projections.{table} t order by 1"]);
        }

        foreach (var (table, key) in ReadModelTables.MadeWhenAsked)
        {
            queries.AddRange([$"select '{TableBegins}{table}'", $"select concat_ws(' ', {key}) || '{KeyEnd}' || to_jsonb(t) from projections.{table} t order by {key}"]);
        }

        var tables = new Dictionary<string, List<string>>();
        List<string> rows = [];
        foreach (var row in await SqlAsync(server, [.. queries]))
        {
            if (row.StartsWith(TableBegins, StringComparison.Ordinal))
            {
                tables[row[TableBegins.Length..]] = rows = [];
            }
            else
            {
                rows.Add(row);
            }
        }

        return tables.ToDictionary(table => table.Key, table => table.Value.ToArray());
    }

    private static string KeyOf(string row) => row[..row.IndexOf(KeyEnd)];

    private static async Task<string[]> SqlAsync(TestServer server, params string[] sql)
    {
        if (!Urls.TryGetValue(server, out var url))
        {
            var asked = await server.RunAsync("db", "url");
            asked.ExitCode.ShouldBe(0, asked.Error);
            Urls.AddOrUpdate(server, url = asked.Output.Trim());
        }

        var rows = await ClientProgram.RunAsync("psql", [url, "--no-align", "--tuples-only", "--quiet", "--set", "ON_ERROR_STOP=1", .. sql.SelectMany(one => new[] { "-c", one })]);
        return Encoding.UTF8.GetString(rows).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [GeneratedRegex("^\\* LIST \\([^)]*\\) \\S+ (.*?)(?: \\(\"CHILDINFO\".*)?$")]
    private static partial Regex Name();
}
