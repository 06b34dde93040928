using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EventMail.Host.Cli;
using EventMail.Host.Tests.Cli;
using EventMail.Projections.Past;
using EventMail.Testing;
using EventMail.Testing.Transcripts;

namespace EventMail.Host.Tests.Server;

/// <summary>Mailboxes of the past at the very instants of events and just before them: IMAP, HTTP and the command line say the same.</summary>
public sealed partial class PastEdgesTests : IAsyncLifetime
{
    private const string Address = "edge@example.org";
    private const string Mail = "Subject: s\r\n\r\nbody\r\n";

    // The times of events have microseconds.
    private static readonly TimeSpan Tick = TimeSpan.FromMicroseconds(1);

    // One that is not in the way: it makes the log begin before the account.
    private static readonly string[] Always = ["Archive", "Drafts", "Sent", "Spam", "Trash"];

    private readonly HttpClient _http = new();
    private TestDatabase _database = null!;
    private TestServer _server = null!;
    private ScriptedClient _imap = null!;

    // A mailbox: its messages and its UIDVALIDITY.
    private sealed class Seen : SortedDictionary<string, (long Messages, long Validity)>
    {
        public override string ToString() => string.Join("; ", this.Where(mailbox => !Always.Contains(mailbox.Key)).Select(mailbox => $"{mailbox.Key} {mailbox.Value.Messages}"));
    }

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _server = await TestServer.StartAsync(new() { ConnectionString = _database.ConnectionString, Settings = CliServer.Settings });
        await RunAsync("account", "add", "first@example.org", "--password", CliServer.Password);
        await RunAsync("account", "add", Address, "--password", CliServer.Password);
        var key = await RunAsync("api-key", "create", "reader", "--scopes", "admin");
        _http.BaseAddress = new($"http://{_server["http"]}/");
        _http.DefaultRequestHeaders.Authorization = new("Bearer", key.Trim().Split('\n')[^1]);
        _imap = await ScriptedClient.ConnectAsync(_server["imap"]);
        await _imap.ReadLineAsync();
        await ImapAsync($"LOGIN {Address} \"{CliServer.Password}\"");
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _imap.DisposeAsync();
        await _server.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task At_each_event_and_just_before_it_all_doors_show_the_same()
    {
        (string[] Commands, string After)[] story =
        [
            ([$"APPEND INBOX {{{Mail.Length}+}}\r\n{Mail}"], "INBOX 1"),
            ([$"APPEND INBOX {{{Mail.Length}+}}\r\n{Mail}"], "INBOX 2"),
            // Two mailboxes by one command.
            (["CREATE Tree/Leaf"], "INBOX 2; Tree 0; Tree/Leaf 0"),
            // Two events of one command, in two mailboxes.
            (["SELECT INBOX", "MOVE 1:2 Tree/Leaf"], "INBOX 0; Tree 0; Tree/Leaf 2"),
            // Two names by one command.
            (["RENAME Tree Wood"], "INBOX 0; Wood 0; Wood/Leaf 2"),
            (["DELETE Wood/Leaf"], "INBOX 0; Wood 0"),
            // Another mailbox of the same name, and one of a name that another had.
            (["CREATE Wood/Leaf"], "INBOX 0; Wood 0; Wood/Leaf 0"),
            (["CREATE Tree"], "INBOX 0; Tree 0; Wood 0; Wood/Leaf 0"),
        ];
        var began = (await TimesAsync())[0];
        var (ends, before) = (new List<DateTimeOffset> { (await TimesAsync())[^1] }, "INBOX 0");
        foreach (var (commands, _) in story)
        {
            foreach (var command in commands)
                await ImapAsync(command);
            ends.Add((await TimesAsync())[^1]);
        }
        for (var i = 0; i < story.Length; i++)
        {
            // No instant lies between the events of one command: there is what was before, and what is after.
            foreach (var time in (await TimesAsync()).Where(time => time > ends[i] && time <= ends[i + 1]))
            {
                foreach (var (instant, isAfter) in new[] { (time - Tick, false), (time, true) })
                {
                    var seen = (await SameAtAsync(instant)).ToString();
                    new[] { before, story[i].After }.ShouldContain(seen);
                    if (instant == ends[i + 1])
                        seen.ShouldBe(story[i].After);
                    seen.Split("; ").Sum(mailbox => long.Parse(mailbox.Split(' ')[1])).ShouldBe(seen == story[i].After ? Total(story[i].After) : Total(before));
                }
            }
            before = story[i].After;
        }
        var (renamed, again) = (await SameAtAsync(ends[5]), await SameAtAsync(ends[7]));
        again["Wood/Leaf"].Validity.ShouldBeGreaterThan(renamed["Wood/Leaf"].Validity);
        (await SameAtAsync(ends[4]))["Tree/Leaf"].Validity.ShouldBe(renamed["Wood/Leaf"].Validity);
        (await ImapAsync($"EXAMINE \"#history/{PastInstant.Of(ends[5])}/Wood/Leaf\"")).ShouldContain("* 2 EXISTS");
        (await ImapAsync($"EXAMINE \"#history/{PastInstant.Of(ends[7])}/Wood/Leaf\"")).ShouldContain("* 0 EXISTS");
        (await ImapAsync($"EXAMINE \"#history/{PastInstant.Of(ends[6])}/Wood/Leaf\"", "NO")).ShouldContain("there were INBOX, ");

        // Before there was anything, and when nothing has been yet.
        (await ImapAsync($"EXAMINE \"#history/{PastInstant.Of(began - Tick)}/INBOX\"", "NO")).ShouldContain($"[NONEXISTENT] {PastInstant.Of(began - Tick)} is before the account: it begins at {PastInstant.Of(began)}");
        (await HttpAsync(began - Tick)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await RunAsync("replay", Address, "--until", PastInstant.Of(began - Tick), "--json")).ShouldBeEmpty();
        (await RunAsync("replay", Address, "--pictures", "--until", PastInstant.Of(began - Tick), "--json")).ShouldBeEmpty();
        (await SameAtAsync(began)).ToString().ShouldBe("INBOX 0");
        var tomorrow = DateTimeOffset.UtcNow.AddDays(1);
        (await ImapAsync($"EXAMINE \"#history/{PastInstant.Of(tomorrow)}/INBOX\"", "NO")).ShouldContain("is in the future");
        (await HttpAsync(tomorrow)).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await _server.RunAsync("replay", Address, "--until", PastInstant.Of(tomorrow))).ExitCode.ShouldBe(ExitCodes.Failed);
    }

    [Fact]
    public async Task Of_two_events_of_one_microsecond_all_doors_show_both_or_none()
    {
        await ImapAsync($"APPEND INBOX {{{Mail.Length}+}}\r\n{Mail}");
        var first = (await TimesAsync())[^1];
        await ImapAsync($"APPEND INBOX {{{Mail.Length}+}}\r\n{Mail}");
        var second = (await TimesAsync())[^1];
        second.ShouldBeGreaterThan(first);
        await using (var change = _database.DataSource.CreateCommand("update public.mt_events set timestamp = $1 where timestamp = $2"))
        {
            change.Parameters.Add(new() { Value = first.UtcDateTime });
            change.Parameters.Add(new() { Value = second.UtcDateTime });
            await change.ExecuteNonQueryAsync();
        }
        (await SameAtAsync(first)).ToString().ShouldBe("INBOX 2");
        (await SameAtAsync(first - Tick)).ToString().ShouldBe("INBOX 0");
        (await SameAtAsync(first + TimeSpan.FromTicks(9))).ToString().ShouldBe("INBOX 2");
        (await SameAtAsync(first - TimeSpan.FromTicks(1))).ToString().ShouldBe("INBOX 0");
    }

    [Fact]
    public async Task A_mailbox_with_a_row_that_cannot_be_read_is_left_out_of_lists_and_named()
    {
        await ImapAsync("CREATE Work");
        await ImapAsync($"APPEND Work {{{Mail.Length}+}}\r\n{Mail}");
        var whole = PastInstant.Of((await TimesAsync())[^1]);
        await ImapAsync($"APPEND Work {{{Mail.Length}+}}\r\n{Mail}");
        await using (var change = _database.DataSource.CreateCommand("update public.mt_events set data = '{\"Uid\": \"no number\"}' where seq_id = (select max(seq_id) from public.mt_events where type = 'message_appended') returning seq_id"))
        {
            var position = (long)(await change.ExecuteScalarAsync())!;
            foreach (var arguments in (string[][])[["replay", Address], ["replay", Address, "--pictures"], ["replay"]])
            {
                var listed = await _server.RunAsync(arguments);
                listed.ExitCode.ShouldBe(ExitCodes.Failed);
                listed.Output.ShouldContain("INBOX");
                listed.Output.ShouldNotContain("Work");
                listed.Error.ShouldContain("1 mailbox is left out: ");
                listed.Error.ShouldContain($"seq_id {position}");
            }
        }
        var failed = await _server.RunAsync("replay", Address, "Work");
        (failed.ExitCode, failed.Output).ShouldBe((ExitCodes.Failed, ""));
        failed.Error.ShouldContain("cannot be read");
        // Until then it is as it was.
        foreach (var pictures in (string[][])[[], ["--pictures"]])
            (await RunAsync(["replay", Address, "--until", whole, "--json", .. pictures])).ShouldContain("\"mailbox\":\"Work\",\"messages\":1,");
    }

    private static long Total(string seen) => seen.Split("; ").Sum(mailbox => long.Parse(mailbox.Split(' ')[1]));

    // When anything happened in the account's mailboxes.
    private async Task<List<DateTimeOffset>> TimesAsync()
    {
        await using var command = _database.DataSource.CreateCommand($"""
            select distinct e.timestamp from public.mt_events e join public.mt_streams s on s.tenant_id = e.tenant_id and s.id = e.stream_id
            where s.type = 'mailbox' and e.tenant_id = (select account from projections.address where address = '{Address}') order by 1
            """);
        var times = new List<DateTimeOffset>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
            times.Add(new(row.GetDateTime(0)));
        return times;
    }

    private async Task<Seen> SameAtAsync(DateTimeOffset instant)
    {
        var http = new Seen();
        using (var answer = await HttpAsync(instant))
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            foreach (var item in JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["items"]!.AsArray())
                http[(string)item!["name"]!] = ((long)item["messages"]!, (long)item["uidValidity"]!);
        }
        var imap = new Seen();
        foreach (Match status in Status().Matches(await ImapAsync($"LIST \"\" \"#history/{PastInstant.Of(instant)}/*\" RETURN (STATUS (MESSAGES UIDVALIDITY))")))
            imap[status.Groups["name"].Value] = (long.Parse(status.Groups["messages"].Value), long.Parse(status.Groups["validity"].Value));
        imap.ShouldBe(http, $"IMAP and HTTP at {instant:O}");
        foreach (var pictures in (string[][])[[], ["--pictures"]])
        {
            var cli = new Seen();
            foreach (var line in (await RunAsync(["replay", Address, "--until", PastInstant.Of(instant), "--json", .. pictures])).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var row = JsonNode.Parse(line)!;
                cli[(string)row["mailbox"]!] = ((long)row["messages"]!, (long)row["uid_validity"]!);
            }
            cli.ShouldBe(http, $"replay {string.Join(' ', pictures)} and HTTP at {instant:O}");
        }
        return http;
    }

    [GeneratedRegex(@"^\* STATUS ""?#history/[^/]*/(?<name>[^""]*?)""? \(MESSAGES (?<messages>\d+) UIDVALIDITY (?<validity>\d+)\)", RegexOptions.Multiline)]
    private static partial Regex Status();

    private Task<HttpResponseMessage> HttpAsync(DateTimeOffset instant) =>
        _http.GetAsync($"api/v1/accounts/{Address}/mailboxes?at={Uri.EscapeDataString(instant.ToString("O"))}");

    private async Task<string> ImapAsync(string command, string expected = "OK")
    {
        await _imap.SendLineAsync($"a {command}");
        var lines = new List<string>();
        while (await _imap.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (!line.StartsWith("a ", StringComparison.Ordinal))
                continue;
            line.ShouldStartWith($"a {expected}");
            return string.Join('\n', lines);
        }
        throw new InvalidOperationException("closed");
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var result = await _server.RunAsync(arguments);
        result.ExitCode.ShouldBe(0, result.Error);
        return result.Output;
    }
}
