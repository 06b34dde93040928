using EventMail.Domain.Mailboxes;
using EventMail.Protocols.Imap;
using EventMail.Testing.Transcripts;
using Shouldly;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>What the result options answer, against what SEARCH without them finds (RFC 4731, RFC 5182, RFC 9394).</summary>
public sealed class SearchReturnTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private static readonly string[] Keys =
    [
        "ALL", "SEEN", "UNSEEN FLAGGED", "NOT DELETED", "OR SEEN FLAGGED", "DRAFT", "2:7", "SUBJECT 1", "NOT SUBJECT 1", "TEXT 3", "OR TEXT 2 SEEN", "BODY x",
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Result_options_agree_with_what_SEARCH_finds(int seed)
    {
        var random = new Random(seed);
        var client = await FilledAsync(random, messages: 40);
        for (var i = 0; i < 60; i++)
        {
            var key = Keys[random.Next(Keys.Length)];
            var uid = random.Next(2) == 0 ? "UID " : "";
            var all = await PlainAsync(client, $"{uid}SEARCH {key}");
            var (options, expected, saved) = Ask(random, all);
            var answer = await LineAsync(client, $"{uid}SEARCH RETURN ({options}) {key}", "* ESEARCH");
            answer.ShouldBe($"* ESEARCH (TAG \"t\"){(uid.Length > 0 ? " UID" : "")}{expected}", $"{uid}{options} {key} seed {seed}");
            if (options.Contains("SAVE"))
                (await PlainAsync(client, $"{uid}SEARCH $")).ShouldBe(saved, $"$ of {options} {key} seed {seed}");
        }
    }

    [Fact]
    public async Task A_result_of_too_many_ranges_is_not_saved()
    {
        var account = await fixture.NewAccountAsync();
        var client = await fixture.LogInAsync(account, fixture.ServicesWith(new ImapLimits { MaxSavedRanges = 2 }));
        await AppendAsync(client, 6, _ => "");
        await LineAsync(client, "SELECT INBOX", "* ");
        await LineAsync(client, "SEARCH RETURN (SAVE) OR 1 3", "* ");
        await client.SendLineAsync("t SEARCH RETURN (SAVE ALL) OR 1 OR 3 5");
        await client.ExpectMatchAsync("t NO \\[NOTSAVED\\] .*");
        (await PlainAsync(client, "SEARCH $")).ShouldBeEmpty();
    }

    private async Task<ScriptedClient> FilledAsync(Random random, int messages)
    {
        string[] flags = ["\\Seen", "\\Flagged", "\\Deleted"];
        var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        await AppendAsync(client, messages, _ => string.Join(' ', flags.Where(_ => random.Next(2) == 0)));
        await LineAsync(client, "SELECT INBOX", "* ");
        // UIDs are not to be numbers.
        await LineAsync(client, $"UID EXPUNGE {string.Join(',', Enumerable.Range(1, messages).Where(_ => random.Next(4) == 0).DefaultIfEmpty(1))}", "* ");
        return client;
    }

    private static async Task AppendAsync(ScriptedClient client, int messages, Func<int, string> flags)
    {
        for (var i = 1; i <= messages; i++)
        {
            var text = $"Subject: {i}\r\n\r\nx{i % 5}\r\n";
            await client.SendLineAsync($"t APPEND INBOX ({flags(i)}) {{{text.Length}+}}\r\n{text}");
            await client.ExpectMatchAsync("t OK .*");
        }
    }

    private static (string Options, string Expected, uint[] Saved) Ask(Random random, uint[] all)
    {
        var wanted = new List<string>();
        var expected = "";
        var (ends, everything) = (new HashSet<uint>(), false);
        if (Maybe("MIN") && all.Length > 0)
        {
            expected += $" MIN {all[0]}";
            ends.Add(all[0]);
        }

        if (Maybe("MAX") && all.Length > 0)
        {
            expected += $" MAX {all[^1]}";
            ends.Add(all[^1]);
        }

        if (random.Next(2) == 0)
        {
            var (from, to, last) = (random.Next(1, 45), random.Next(1, 45), random.Next(2) == 0);
            var range = last ? $"-{from}:-{to}" : $"{from}:{to}";
            wanted.Add($"PARTIAL {range}");
            var (first, count) = (Math.Min(from, to) - 1, Math.Abs(from - to) + 1);
            uint[] part = last ? [.. all.Reverse().Skip(first).Take(count)] : [.. all.Skip(first).Take(count)];
            ends.UnionWith(part);
            expected += $" PARTIAL ({range} {(part.Length == 0 ? "NIL" : UidSet.From(part).ToString())})";
        }
        else if (Maybe("ALL"))
        {
            everything = true;
            expected += all.Length > 0 ? $" ALL {UidSet.From(all)}" : "";
        }

        if (Maybe("COUNT"))
        {
            everything = true;
            expected += $" COUNT {all.Length}";
        }

        if (wanted.Count == 0)
        {
            wanted.Add("COUNT");
            expected = $" COUNT {all.Length}";
            everything = true;
        }

        _ = Maybe("SAVE");
        return (string.Join(' ', wanted.OrderBy(_ => random.Next())), expected, everything ? all : [.. ends.Order()]);

        bool Maybe(string option)
        {
            if (random.Next(2) == 0)
                return false;
            wanted.Add(option);
            return true;
        }
    }

    private static async Task<uint[]> PlainAsync(ScriptedClient client, string command)
    {
        var line = await LineAsync(client, command, "* SEARCH");
        return [.. line.Split(' ').Skip(2).Select(uint.Parse)];
    }

    private static async Task<string> LineAsync(ScriptedClient client, string command, string start)
    {
        await client.SendLineAsync("t " + command);
        var found = "";
        while (true)
        {
            var line = (await client.ReadLineAsync())!;
            if (line.StartsWith(start, StringComparison.Ordinal))
                found = line;
            if (line.StartsWith("t ", StringComparison.Ordinal))
            {
                line.ShouldStartWith("t OK");
                return found;
            }
        }
    }
}
