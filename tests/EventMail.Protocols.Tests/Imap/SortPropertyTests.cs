using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>What holds for SORT and THREAD whatever the messages.</summary>
public sealed partial class SortPropertyTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private const int Messages = 120;

    private static readonly string[] Keys = ["ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"];

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();

    [Fact]
    public async Task Sorts_are_permutations_and_agree_with_each_other()
    {
        await using var client = await OpenAsync(new(17));
        var random = new Random(4711);
        foreach (var search in new[] { "ALL", "SUBJECT a", "NOT FROM b" })
        {
            var found = await NumbersAsync(client, $"SEARCH {search}");
            foreach (var key in Keys)
            {
                var sorted = await NumbersAsync(client, $"SORT ({key}) UTF-8 {search}");
                sorted.Order().ShouldBe(found);
                // A second criterion only parts what the first leaves equal, and equal messages stay in the mailbox's order.
                (await NumbersAsync(client, $"SORT ({key} {key}) UTF-8 {search}")).ShouldBe(sorted);
                var reversed = await NumbersAsync(client, $"SORT (REVERSE {key}) UTF-8 {search}");
                RunsReversed(sorted, reversed).ShouldBeTrue($"{key}\n{string.Join(' ', sorted)}\n{string.Join(' ', reversed)}");
                // The first criterion counts more than the second.
                var second = Keys[random.Next(Keys.Length)];
                var both = await NumbersAsync(client, $"SORT ({key} {second}) UTF-8 {search}");
                both.Order().ShouldBe(found);
            }
        }
    }

    [Fact]
    public async Task Threads_have_every_message_once()
    {
        await using var client = await OpenAsync(new(23));
        foreach (var search in new[] { "ALL", "SUBJECT a", "7,9,11:60" })
        {
            var found = await NumbersAsync(client, $"SEARCH {search}");
            foreach (var algorithm in new[] { "ORDEREDSUBJECT", "REFERENCES", "REFS" })
            {
                var line = await AskAsync(client, $"THREAD {algorithm} UTF-8 {search}");
                Number().Matches(line).Select(match => int.Parse(match.Value, CultureInfo.InvariantCulture)).Order().ShouldBe(found);
                line.Count(c => c == '(').ShouldBe(line.Count(c => c == ')'));
                line.ShouldNotContain("()");
            }
        }
    }

    [Fact]
    public async Task A_chain_of_replies_as_long_as_the_mailbox_is_one_thread()
    {
        const int length = 2000;
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        for (var i = 0; i < length; i++)
        {
            await AppendAsync(client, $"Message-ID: <{i}@chain>\r\n{(i > 0 ? $"In-Reply-To: <{i - 1}@chain>\r\n" : "")}Subject: s{i}\r\n\r\n");
        }

        await SelectAsync(client);
        (await AskAsync(client, "THREAD REFERENCES UTF-8 ALL")).ShouldBe($"* THREAD ({string.Join(' ', Enumerable.Range(1, length))})");
    }

    // Equal messages stand in the mailbox's order in both, so that the runs of equals are the same ones, in reverse.
    private static bool RunsReversed(List<int> sorted, List<int> reversed)
    {
        var at = sorted.Count;
        for (var i = 0; i < reversed.Count;)
        {
            var run = 1;
            var start = at - run;
            while (start >= 0 && !sorted.GetRange(start, run).SequenceEqual(reversed.GetRange(i, run)))
            {
                run++;
                start = at - run;
            }

            if (start < 0)
                return false;
            sorted.GetRange(start, run).ShouldBeInOrder();
            (at, i) = (start, i + run);
        }

        return at == 0;
    }

    private async Task<ScriptedClient> OpenAsync(Random random)
    {
        string[] words = ["apple", "Banana", "Äpfel", "a", "b", "", "Re: a", "[x] apple", "fwd: Banana (fwd)", "[fwd: Re: a]"];
        string[] people = ["ann@a.test", "\"Bob B\" <b@b.test>", "=?utf-8?q?=C3=84nne?= <z@z.test>", "group: ann@a.test;", "<b@c.test>"];
        string Pick(string[] from) => from[random.Next(from.Length)];
        var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        for (var i = 0; i < Messages; i++)
        {
            var message = new StringBuilder();
            if (random.Next(5) > 0)
                message.Append(CultureInfo.InvariantCulture, $"Date: {random.Next(1, 6)} Jan 2024 0{random.Next(3)}:00:00 +0{random.Next(3)}00\r\n");
            foreach (var field in new[] { "From", "To", "Cc" })
            {
                if (random.Next(4) > 0)
                    message.Append(CultureInfo.InvariantCulture, $"{field}: {Pick(people)}\r\n");
            }

            if (random.Next(6) > 0)
                message.Append(CultureInfo.InvariantCulture, $"Subject: {Pick(words)}\r\n");
            if (random.Next(4) > 0)
                message.Append(CultureInfo.InvariantCulture, $"Message-ID: <{random.Next(Messages)}@r>\r\n");
            // References go anywhere: backwards, forwards, in circles, to itself.
            if (random.Next(2) > 0)
                message.Append(CultureInfo.InvariantCulture, $"References: {string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => $"<{random.Next(Messages)}@r> "))}\r\n");
            await AppendAsync(client, message.Append("\r\n").Append('x', random.Next(3)).ToString());
        }

        await SelectAsync(client);
        return client;
    }

    private static async Task AppendAsync(ScriptedClient client, string message)
    {
        await client.SendLineAsync($"p APPEND INBOX {{{Encoding.UTF8.GetByteCount(message)}+}}\r\n{message}");
        await client.ExpectMatchAsync("p OK .*");
    }

    private static async Task SelectAsync(ScriptedClient client)
    {
        await client.SendLineAsync("s SELECT INBOX");
        while (!(await client.ReadLineAsync())!.StartsWith("s OK", StringComparison.Ordinal))
        {
            // What the mailbox has.
        }
    }

    private static async Task<string> AskAsync(ScriptedClient client, string command)
    {
        await client.SendLineAsync($"q {command}");
        var line = await client.ReadLineAsync();
        await client.ExpectMatchAsync("q OK .*");
        return line!;
    }

    private static async Task<List<int>> NumbersAsync(ScriptedClient client, string command) =>
        [.. Number().Matches(await AskAsync(client, command)).Select(match => int.Parse(match.Value, CultureInfo.InvariantCulture))];
}
