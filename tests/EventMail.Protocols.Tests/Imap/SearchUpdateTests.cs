using System.Globalization;
using System.Text.RegularExpressions;
using EventMail.Protocols.Imap;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>A client that does what ADDTO and REMOVEFROM say has what it would find if it asked again (RFC 5267 §4.3).</summary>
public sealed partial class SearchUpdateTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private static readonly string[] Commands =
    [
        "UID SORT RETURN ({0}) (SUBJECT) UTF-8 UNSEEN", "UID SORT RETURN ({0}) (REVERSE ARRIVAL) UTF-8 ALL",
        "UID SORT RETURN ({0}) (REVERSE SIZE DATE) UTF-8 OR FLAGGED SUBJECT a", "UID SEARCH RETURN ({0}) NOT SEEN",
    ];

    [GeneratedRegex(@"(?<kind>ADDTO|REMOVEFROM) \((?<parts>[^)]*)\)")]
    private static partial Regex Change();

    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 150)]
    public async Task Told_results_are_those_of_a_new_search(int seed, int messages)
    {
        var random = new Random(seed);
        var account = await fixture.NewAccountAsync();
        await using var other = await fixture.LogInAsync(account);
        await AppendAsync(other, random, messages);
        await AskAsync(other, "SELECT INBOX", "");
        await using var client = await fixture.LogInAsync(account);
        await AskAsync(client, "SELECT INBOX", "");
        var results = new List<uint>[Commands.Length];
        for (var i = 0; i < Commands.Length; i++)
            results[i] = await FindAsync(client, $"u{i}", i, "UPDATE ALL");
        for (var step = 0; step < 40; step++)
        {
            await ChangeAsync(other, random);
            await client.SendLineAsync("n NOOP");
            string line;
            while (!(line = (await client.ReadLineAsync())!).StartsWith("n ", StringComparison.Ordinal))
            {
                if (line.StartsWith("* ESEARCH (TAG \"u", StringComparison.Ordinal))
                    Apply(line, results[line[17] - '0']);
            }

            for (var i = 0; i < Commands.Length; i++)
                results[i].ShouldBe(await FindAsync(client, "q", i, "ALL"), $"{Commands[i]}, seed {seed}, step {step}\n{client.Log}");
        }
    }

    [Fact]
    public async Task More_searches_than_may_be_kept_up_to_date_are_refused_and_one_less_makes_room()
    {
        var limits = new ImapLimits { MaxSearchUpdates = 2 };
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), fixture.ServicesWith(limits));
        await AskAsync(client, "SELECT INBOX", "");
        await client.SendLineAsync("a SEARCH RETURN (UPDATE) SEEN");
        await client.ExpectMatchAsync(".*ESEARCH.*");
        await client.ExpectMatchAsync("a OK .*");
        await client.SendLineAsync("b SORT RETURN (UPDATE) (SIZE) UTF-8 SEEN");
        await client.ExpectMatchAsync(".*ESEARCH.*");
        await client.ExpectMatchAsync("b OK .*");
        foreach (var command in new[] { "SEARCH RETURN (UPDATE COUNT) SEEN", "SORT RETURN (UPDATE COUNT) (SIZE) UTF-8 SEEN" })
        {
            await client.SendLineAsync($"c {command}");
            await client.ExpectAsync("* ESEARCH (TAG \"c\") COUNT 0");
            await client.ExpectMatchAsync(@"\* NO \[NOUPDATE ""c""\] .*");
            await client.ExpectMatchAsync("c OK .*");
        }

        await client.SendLineAsync("d CANCELUPDATE \"a\"");
        await client.ExpectMatchAsync("d OK .*");
        await client.SendLineAsync("c SORT RETURN (UPDATE COUNT) (SIZE) UTF-8 SEEN");
        await client.ExpectAsync("* ESEARCH (TAG \"c\") COUNT 0");
        await client.ExpectMatchAsync("c OK .*");
    }

    [Fact]
    public async Task A_sorted_result_that_grows_too_long_is_told_no_more()
    {
        var limits = new ImapLimits { MaxSavedRanges = 2 };
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), fixture.ServicesWith(limits));
        await AppendAsync(client, new(1), 2);
        await AskAsync(client, "SELECT INBOX", "");
        await AskAsync(client, "SORT RETURN (UPDATE COUNT) (ARRIVAL) UTF-8 ALL", "* ESEARCH (TAG \"t\") COUNT 2");
        await AppendAsync(client, new(1), 1, ["* 3 EXISTS", "* 3 RECENT", "* ESEARCH (TAG \"t\") ADDTO (2 3)", "* NO [NOUPDATE \"t\"] Changes will not be told"]);
        await client.SendLineAsync("c CANCELUPDATE \"t\"");
        await client.ExpectMatchAsync("c NO .*");
        await client.SendLineAsync("e SORT RETURN (UPDATE COUNT) (ARRIVAL) UTF-8 ALL");
        await client.ExpectAsync("* ESEARCH (TAG \"e\") COUNT 3");
        await client.ExpectMatchAsync(@"\* NO \[NOUPDATE ""e""\] .*");
    }

    [Fact]
    public async Task The_results_of_all_searches_together_are_bounded()
    {
        var limits = new ImapLimits { MaxUpdatedResults = 5 };
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), fixture.ServicesWith(limits));
        await AppendAsync(client, new(1), 2);
        await AskAsync(client, "SELECT INBOX", "");
        foreach (var tag in new[] { "a", "b", "c" })
        {
            await client.SendLineAsync($"{tag} SORT RETURN (UPDATE COUNT) (ARRIVAL) UTF-8 ALL");
            await client.ExpectAsync($"* ESEARCH (TAG \"{tag}\") COUNT 2");
            if (tag == "c")
                await client.ExpectMatchAsync(@"\* NO \[NOUPDATE ""c""\] .*");
            await client.ExpectMatchAsync($"{tag} OK .*");
        }

        // Five are as many as may be: the first one may grow, the second one is told no more.
        await AppendAsync(
            client, new(1), 1,
            ["* 3 EXISTS", "* 3 RECENT", "* ESEARCH (TAG \"a\") ADDTO (2 3)", "* ESEARCH (TAG \"b\") ADDTO (2 3)", "* NO [NOUPDATE \"b\"] Changes will not be told"]);
    }

    private static async Task ChangeAsync(ScriptedClient client, Random random)
    {
        string Some() => string.Join(',', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Part(random)));
        switch (random.Next(4))
        {
            case 0:
                await AppendAsync(client, random, random.Next(1, 4));
                break;
            case 1:
                await AskAsync(client, $"UID STORE {Some()} {"+-"[random.Next(2)]}FLAGS.SILENT (\\Seen)", "");
                break;
            case 2:
                await AskAsync(client, $"UID STORE {Some()} {"+-"[random.Next(2)]}FLAGS.SILENT (\\Flagged)", "");
                break;
            default:
                await AskAsync(client, $"UID STORE {random.Next(1, 200)},{random.Next(1, 200)} +FLAGS.SILENT (\\Deleted)", "");
                await AskAsync(client, "EXPUNGE", "");
                break;
        }
    }

    private static string Part(Random random)
    {
        var first = random.Next(1, 200);
        return random.Next(3) == 0 ? $"{first}:{first + random.Next(40)}" : $"{first}";
    }

    private static async Task AppendAsync(ScriptedClient client, Random random, int messages, params string[] untagged)
    {
        for (var i = 0; i < messages; i++)
        {
            var text = $"Subject: {"abc"[random.Next(3)]}{random.Next(5)}\r\n\r\n{new string('x', random.Next(4))}";
            await client.SendLineAsync($"t APPEND INBOX \"0{random.Next(1, 9)}-Jan-2024 00:00:00 +0000\" {{{text.Length}+}}\r\n{text}");
            foreach (var line in untagged)
                await client.ExpectAsync(line);
            while (!(await client.ReadLineAsync())!.StartsWith("t OK", StringComparison.Ordinal))
            {
                // What the other session did.
            }
        }
    }

    private static void Apply(string line, List<uint> result)
    {
        foreach (Match change in Change().Matches(line))
        {
            var words = change.Groups["parts"].Value.Split(' ');
            for (var i = 0; i < words.Length; i += 2)
            {
                var (position, uids) = (int.Parse(words[i], CultureInfo.InvariantCulture), Expanded(words[i + 1]));
                if (change.Groups["kind"].Value == "ADDTO")
                {
                    result.InsertRange(Math.Max(0, position - 1), uids);
                    if (position == 0)
                        result.Sort();
                    continue;
                }

                if (position > 0)
                    result.GetRange(position - 1, uids.Count).ShouldBe(uids);
                result.RemoveAll(uids.Contains);
            }
        }
    }

    private static async Task<List<uint>> FindAsync(ScriptedClient client, string tag, int command, string options)
    {
        await client.SendLineAsync($"{tag} {string.Format(CultureInfo.InvariantCulture, Commands[command], options)}");
        var answer = await client.ExpectMatchAsync($@"\* ESEARCH \(TAG ""{tag}""\) UID(?: ALL (?<all>\S+))?");
        await client.ExpectMatchAsync($"{tag} OK .*");
        return Expanded(answer.Groups["all"].Value);
    }

    private static List<uint> Expanded(string set) =>
    [
        .. set.Split(',', StringSplitOptions.RemoveEmptyEntries).SelectMany(range =>
        {
            var ends = range.Split(':').Select(uint.Parse).ToArray();
            return Enumerable.Range((int)ends[0], (int)(ends[^1] - ends[0]) + 1).Select(uid => (uint)uid);
        }),
    ];

    private static async Task AskAsync(ScriptedClient client, string command, string expected)
    {
        await client.SendLineAsync($"t {command}");
        string line;
        var found = expected.Length == 0;
        while (!(line = (await client.ReadLineAsync())!).StartsWith("t ", StringComparison.Ordinal))
            found |= line == expected;
        line.ShouldStartWith("t OK");
        found.ShouldBeTrue(client.Log);
    }
}
