using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EventMail.Testing;

namespace EventMail.EndToEnd.Golden;

/// <summary>Whole logs of older versions, read by today's program: it says of them what the program said that wrote them.</summary>
public sealed partial class GoldenLogTests
{
    public static TheoryData<string> Names => [.. GoldenLog.Names];

    [Fact]
    public void There_is_a_log_of_each_age() => GoldenLog.Names.ShouldBe(["before-hashes", "before-sending", "sealed", "with-hashes"]);

    [Theory, MemberData(nameof(Names))]
    public async Task A_log_says_today_what_it_said_when_it_was_written(string name)
    {
        using var folder = new TempFolder();
        await using var database = await TestDatabase.CreateAsync();
        var log = new GoldenLog(name);
        await log.LoadAsync(database, folder.Path);
        await using var server = await TestServer.StartAsync(new() { ConnectionString = database.ConnectionString, DataFolder = folder.Path, Settings = MailServer.Settings });
        await MailboxesShouldBeAsTheyWereAsync(server, log);

        // Every row of the log is told, and none of its types is unknown.
        var history = await RunAsync(server, "history", "--json");
        var told = history.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).Take(log.Events).ToList();
        told.Select(entry => (long)entry["sequence"]!).ShouldBe(Enumerable.Range(1, log.Events).Select(n => (long)n));
        told.ShouldAllBe(entry => !string.IsNullOrEmpty((string?)entry["what"]));
        told.ShouldNotContain(entry => ((string)entry["what"]!).Contains("unknown", StringComparison.OrdinalIgnoreCase));

        // Events from before there were hashes are no fault, and are said to be without.
        var audit = await RunAsync(server, "audit", "verify");
        audit.Output.ShouldContain("no event was changed");
        if (!name.StartsWith("before", StringComparison.Ordinal))
            audit.Output.ShouldNotContain("have no hash");
        else
            audit.Output.ShouldContain($"{log.Events} events have no hash", Case.Sensitive, audit.Output);

        (await RunAsync(server, "projections", "verify")).Output.ShouldContain("what the log says", Case.Insensitive);
        await RunAsync(server, "projections", "rebuild");
        await MailboxesShouldBeAsTheyWereAsync(server, log);

        // It goes on: what comes now follows what is there.
        await using (var imap = await ImapClient.LoginAsync(server["imap"], "alice@example.org"))
        {
            await imap.RunAsync("CREATE Later");
            await imap.RunAsync("SELECT INBOX");
            await imap.RunAsync("COPY 1 Later");
            await imap.RunAsync(@"STORE 1 +FLAGS (\Deleted Later)");
        }
        (await RunAsync(server, "audit", "verify")).Output.ShouldContain("no event was changed");
        (await RunAsync(server, "projections", "verify")).ExitCode.ShouldBe(0);
        (await RunAsync(server, "replay", "alice@example.org")).Output.ShouldContain("Later");
    }

    [Fact]
    public async Task What_was_sealed_is_read_and_the_log_verifies_when_a_key_of_it_is_gone()
    {
        using var folder = new TempFolder();
        await using var database = await TestDatabase.CreateAsync();
        var log = new GoldenLog("sealed");
        await log.LoadAsync(database, folder.Path);
        var boxes = await SealedAsync(database);
        boxes.Count.ShouldBeGreaterThan(20);
        boxes.ShouldAllBe(row => !row.Contains("@client.example.net") && !row.Contains("alice@") && !row.Contains("127.0.0.1"));
        await using var server = await TestServer.StartAsync(new() { ConnectionString = database.ConnectionString, DataFolder = folder.Path, Settings = MailServer.Settings });
        var told = await ToldAsync(server, log.Events);
        told.ShouldContain(line => line.Contains("sender@client.example.net") && line.Contains("127.0.0.1"));
        told.ShouldContain(line => line.Contains("far@remote.example"));

        await RunAsync(server, "account", "remove", "alice@example.org");
        (await RunAsync(server, "erase", "account", "alice@example.org", "--reason", "asked for")).Output.ShouldContain("erasure ");
        (await SealedAsync(database)).Take(boxes.Count).ShouldBe(boxes, "the log is as it was");
        var after = await ToldAsync(server, log.Events);
        after.Count.ShouldBe(told.Count);
        after.ShouldNotContain(line => line.Contains("alice@example.org") && !line.Contains("alias_added")); // an alias is its domain's
        after.ShouldContain(line => line.Contains("far@remote.example")); // bob's
        (await RunAsync(server, "audit", "verify")).Output.ShouldContain("no event was changed");
        (await RunAsync(server, "projections", "verify")).ExitCode.ShouldBe(0);
        await RunAsync(server, "projections", "rebuild");
        (await RunAsync(server, "audit", "verify")).Output.ShouldContain("no event was changed");
    }

    private static async Task<List<string>> SealedAsync(TestDatabase database)
    {
        await using var command = database.DataSource.CreateCommand("select data::text || headers::text from mt_events where data ? 'Sealed' or headers ? 'sealed' order by seq_id");
        await using var row = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await row.ReadAsync())
            rows.Add(row.GetString(0));
        return rows;
    }

    // As far as the log went when it was written.
    private static async Task<List<string>> ToldAsync(TestServer server, int events) =>
        [.. (await RunAsync(server, "history", "--json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Take(events)];

    private static async Task MailboxesShouldBeAsTheyWereAsync(TestServer server, GoldenLog log)
    {
        foreach (var user in log.Users)
        {
            await using var imap = await ImapClient.LoginAsync(server["imap"], $"{user}@example.org");
            var asked = 0;
            foreach (var (command, was) in log.AskedBy(user))
            {
                asked++;
                var now = (await imap.RunAsync(command)).Where(line => !OfTheSession().IsMatch(line)).Select(line => Recent().Replace(line, "").Replace(" )", ")"));
                now.ShouldBe(was, $"{user}: {command}");
            }
            asked.ShouldBeGreaterThan(10, "nothing was asked");
        }
    }

    private static async Task<CommandResult> RunAsync(TestServer server, params string[] arguments)
    {
        var result = await server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}: {result.Output}{result.Error}");
        return result;
    }

    // Not the log's, and left out when the log was made.
    [GeneratedRegex(@"^\* (\d+ RECENT|OK|FLAGS)")]
    private static partial Regex OfTheSession();

    [GeneratedRegex(@"\\Recent ?")]
    private static partial Regex Recent();
}
