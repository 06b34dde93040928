using System.Text;
using EventMail.Projections.SearchText;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>SEARCH finds the same with the index of texts as without it.</summary>
public sealed class IndexedSearchTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private const int Messages = 60;

    private static readonly string[] Words = ["apple", "Banana", "cherry", "Äpfel", "100%", "a_b", "back\\slash", "日本語", "x"];

    [Fact]
    public async Task Whatever_is_asked_the_answers_are_those_of_reading_every_message()
    {
        var random = new Random(42);
        var (account, stranger) = (await fixture.NewAccountAsync(), await fixture.NewAccountAsync());
        await using var indexed = await fixture.LogInAsync(account);
        await using var reading = await fixture.LogInAsync(account, fixture.ServicesWith(new(), indexed: false));
        await using var other = await fixture.LogInAsync(stranger);
        for (var i = 0; i < Messages; i++)
        {
            await AppendAsync(indexed, Message(random));
            await AppendAsync(other, Message(random));
        }

        await fixture.Mail.Log.Projections.WaitForAsync(SearchTextProjection.ProjectionName, default);
        await CompareAsync(indexed, reading, random, 80);

        // Some are not indexed, as when they have just come in.
        await RunAsync($"create table kept as select * from search_text where number % 3 = 0");
        (await RunAsync($"delete from search_text where number % 3 = 0")).ShouldBeGreaterThan(0);
        await RunAsync($"vacuum full search_text"); // what is known of the old table is forgotten
        await CompareAsync(indexed, reading, random, 40);
        // For the comparison with the log.
        await RunAsync($"insert into search_text select * from kept");
        await RunAsync("drop table kept");
    }

    private async Task<int> RunAsync(string sql)
    {
        await using var command = fixture.Mail.Log.DataSource.CreateCommand(sql);
        return await command.ExecuteNonQueryAsync();
    }

    private static async Task CompareAsync(ScriptedClient indexed, ScriptedClient reading, Random random, int times)
    {
        foreach (var client in new[] { indexed, reading })
        {
            await client.SendLineAsync("s SELECT INBOX");
            while (!(await client.ReadLineAsync())!.StartsWith("s OK", StringComparison.Ordinal))
            {
                // What the mailbox has.
            }
        }

        for (var i = 0; i < times; i++)
        {
            var search = $"q SEARCH {Key(random, 2)}";
            (await AskAsync(indexed, search)).ShouldBe(await AskAsync(reading, search), search);
        }
    }

    private static async Task<string> AskAsync(ScriptedClient client, string search)
    {
        await client.SendLineAsync(search);
        var line = await client.ReadLineAsync();
        await client.ExpectMatchAsync("q OK .*");
        return line!;
    }

    private static string Key(Random random, int depth) => random.Next(depth > 0 ? 6 : 2) switch
    {
        0 => $"BODY {Needle(random)}",
        1 => $"TEXT {Needle(random)}",
        2 => $"NOT {Key(random, depth - 1)}",
        3 => $"OR {Key(random, depth - 1)} {Key(random, depth - 1)}",
        4 => $"({Key(random, depth - 1)} {Key(random, depth - 1)})",
        _ => $"({random.Next(1, 30)}:{random.Next(30, Messages)} {Key(random, depth - 1)})",
    };

    private static string Needle(Random random)
    {
        var text = $"{Words[random.Next(Words.Length)]} {Words[random.Next(Words.Length)]}";
        var start = random.Next(text.Length);
        var needle = text.Substring(start, random.Next(1, text.Length - start + 1)).Trim();
        needle = needle.Length == 0 ? "p" : random.Next(2) == 0 ? needle.ToUpperInvariant() : needle;
        return $"{{{Encoding.UTF8.GetByteCount(needle)}+}}\r\n{needle}";
    }

    private static string Message(Random random)
    {
        var text = new StringBuilder("Subject: ");
        text.Append(Words[random.Next(Words.Length)]).Append(Words[random.Next(Words.Length)]);
        text.Append("\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
        for (var i = random.Next(6); i > 0; i--)
            text.Append(Words[random.Next(Words.Length)]).Append(random.Next(4) == 0 ? "\r\n" : " ");
        return text.Append("\r\n").ToString();
    }

    private static async Task AppendAsync(ScriptedClient client, string message)
    {
        await client.SendLineAsync($"p APPEND INBOX {{{Encoding.UTF8.GetByteCount(message)}+}}\r\n{message}");
        await client.ExpectMatchAsync("p OK .*");
    }
}
