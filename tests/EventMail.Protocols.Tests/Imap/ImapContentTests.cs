using System.Text;
using EventMail.Protocols.Imap.Selected;
using EventMail.Domain.Mailboxes;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>Odd and large contents: what FETCH and SEARCH make of them.</summary>
public sealed class ImapContentTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private async Task<ScriptedClient> SelectedAsync(Protocols.Imap.ImapLimits? limits = null, params string[] messages)
    {
        var client = await fixture.LogInAsync(await fixture.NewAccountAsync(), fixture.ServicesWith(limits ?? new()));
        foreach (var message in messages)
        {
            await client.SendAsync(Encoding.Latin1.GetBytes($"p APPEND INBOX {{{message.Length}+}}\r\n{message}\r\n"));
            await client.ExpectMatchAsync("p OK .*");
        }

        (await AllAsync(client, "s", "SELECT INBOX"))[^1].ShouldStartWith("s OK");
        return client;
    }

    private static async Task<List<string>> AllAsync(ScriptedClient client, string tag, string command)
    {
        await client.SendLineAsync($"{tag} {command}");
        var lines = new List<string>();
        do
        {
            lines.Add((await client.ReadLineAsync())!);
        }
        while (!lines[^1].StartsWith($"{tag} ", StringComparison.Ordinal));
        return lines;
    }

    private static async Task<byte[]> FetchAsync(ScriptedClient client, string item)
    {
        await client.SendLineAsync($"f FETCH 1 {item}");
        var size = (await client.ExpectMatchAsync(@".*\{(\d+)\}")).Groups[1].Value;
        var bytes = await client.ReadExactlyAsync(int.Parse(size, System.Globalization.CultureInfo.InvariantCulture));
        await client.ReadLineAsync();
        await client.ExpectMatchAsync("f OK .*");
        return bytes;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(200_000)]
    public async Task A_NUL_is_kept_and_sent_as_octet_128(int padding)
    {
        var message = "Subject: a\0b\r\n\r\n\0" + new string('x', padding) + "\0\r\n";
        await using var client = await SelectedAsync(null, message);
        var sent = message.Replace('\0', '\x80');
        Encoding.Latin1.GetString(await FetchAsync(client, "BODY.PEEK[]")).ShouldBe(sent);
        Encoding.Latin1.GetString(await FetchAsync(client, "BODY.PEEK[HEADER.FIELDS (Subject)]")).ShouldBe("Subject: a\u0080b\r\n\r\n");
        Encoding.Latin1.GetString(await FetchAsync(client, "BODY.PEEK[TEXT]<0.1>")).ShouldBe("\x80");
    }

    [Fact]
    public async Task A_mailbox_that_is_called_NIL_is_quoted()
    {
        await using var client = await SelectedAsync();
        await AllAsync(client, "a", "CREATE nil");
        (await AllAsync(client, "b", "LIST \"\" nil"))[0].ShouldEndWith(" \"nil\"");
        (await AllAsync(client, "c", "STATUS \"nil\" (MESSAGES)"))[0].ShouldBe("* STATUS \"nil\" (MESSAGES 0)");
    }

    [Fact]
    public void All_flags_together_are_a_list()
    {
        var table = FlagTable.Of(Enumerable.Range(0, MailboxLimits.MaxKeywordsPerMailbox).Select(i => $"k{i}"));
        var all = (1UL << 63) - 1;
        table.Count.ShouldBe(63);
        var list = Encoding.ASCII.GetString(new FlagLists(table).Of(all, recent: true));
        list.ShouldStartWith(@"(\Recent \");
        list.Split(' ').Length.ShouldBe(64);
    }

    private static string Text(string encoding, string body) =>
        $"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}\r\n";

    private static string Large()
    {
        var plain = string.Concat(Enumerable.Repeat("lorem ipsum dolor\r\n", 5000));
        var coded = Convert.ToBase64String(Encoding.UTF8.GetBytes(plain + "hidden näedle" + plain), Base64FormattingOptions.InsertLineBreaks);
        return "Subject: large one\r\nX-Mark: in the header\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            + "--b\r\n" + Text("7bit", plain[..16_380] + "straddling" + plain)
            + "--b\r\n" + Text("base64", coded)
            + "--b\r\nContent-Type: application/octet-stream\r\nX-Part: partmark\r\n\r\nopaque needle " + plain
            + "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner one\r\n\r\ninner body " + plain + "\r\n--b--\r\n";
    }

    [Theory]
    [InlineData("TEXT straddling", true)]
    [InlineData("BODY straddling", true)]
    [InlineData("TEXT \"hidden näedle\"", true)]
    [InlineData("BODY \"opaque needle\"", false)]
    [InlineData("BODY partmark", true)]
    [InlineData("TEXT \"large one\"", true)]
    [InlineData("BODY \"large one\"", false)]
    [InlineData("BODY \"inner one\"", true)]
    [InlineData("BODY \"inner body\"", true)]
    [InlineData("TEXT nowhere", false)]
    [InlineData("HEADER X-Mark \"the header\"", true)]
    [InlineData("HEADER X-Part partmark", false)]
    public async Task A_message_that_lies_in_a_file_is_searched_as_any_other(string key, bool found)
    {
        await using var client = await SelectedAsync(null, Large());
        (await AllAsync(client, "a", $"SEARCH CHARSET UTF-8 {key}"))[0].ShouldBe(found ? "* SEARCH 1" : "* SEARCH");
    }

    [Fact]
    public async Task Of_a_header_without_end_its_beginning_is_looked_at()
    {
        var message = "X-First: one\r\n" + string.Concat(Enumerable.Repeat("X-Filler: " + new string('x', 90) + "\r\n", 20_000)) + "X-Last: two\r\n";
        await using var client = await SelectedAsync(null, message);
        (await AllAsync(client, "a", "SEARCH HEADER X-First one"))[0].ShouldBe("* SEARCH 1");
        (await AllAsync(client, "b", "SEARCH HEADER X-Last two"))[0].ShouldBe("* SEARCH");
        Encoding.Latin1.GetString(await FetchAsync(client, "BODY.PEEK[HEADER.FIELDS (X-First X-Last)]")).ShouldStartWith("X-First: one\r\n");
        (await FetchAsync(client, "BODY.PEEK[HEADER.FIELDS.NOT (X-First)]")).Length.ShouldBeLessThan(Protocols.Imap.HeaderOctets.MaxLength + 2);
        (await FetchAsync(client, "BODY.PEEK[HEADER]")).Length.ShouldBe(message.Length);
    }

    [Fact]
    public async Task A_long_search_says_that_it_goes_on_and_ends_when_the_server_stops()
    {
        var services = fixture.ServicesWith(new() { SearchNotice = TimeSpan.Zero });
        var account = await fixture.NewAccountAsync();
        var connection = fixture.Open(services: services);
        await using var client = new ScriptedClient(connection.Client);
        await client.ReadLineAsync();
        await AllAsync(client, "l", $"LOGIN {account.Address} {EventMail.Testing.TestMail.Password}");
        await AllAsync(client, "p", "APPEND INBOX {9+}\r\nX: y\r\n\r\nz");
        await AllAsync(client, "s", "SELECT INBOX");
        (await AllAsync(client, "a", "SEARCH TEXT z")).ShouldContain("* OK [INPROGRESS (\"a\" 0 1)] Still searching");
        (await client.AskAsync("b SEARCH TEXT {1}")).ShouldBe("+ OK");
        connection.Connection.Stop();
        await client.SendLineAsync("z");
        await client.ExpectAsync("* OK [INPROGRESS (\"b\" 0 1)] Still searching");
        await client.ExpectAsync("b NO [UNAVAILABLE] Server shutting down");
        await client.ExpectAsync("* BYE [UNAVAILABLE] Server shutting down");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_content_that_is_missing_is_told_as_corruption()
    {
        var before = Directory.GetFiles(fixture.Mail.Folder, "*", SearchOption.AllDirectories).ToHashSet();
        await using var client = await SelectedAsync(
            null, "Subject: small\r\n\r\nsmall\r\n", $"Subject: large\r\n\r\n{string.Concat(Enumerable.Repeat("needle\r\n", 20_000))}");
        foreach (var path in Directory.GetFiles(fixture.Mail.Folder, "*", SearchOption.AllDirectories).Where(path => !before.Contains(path)))
            File.Delete(path);
        (await AllAsync(client, "a", "FETCH 2 BODY.PEEK[]")).ShouldBe(["a NO [CORRUPTION] A message's content is missing"]);
        (await AllAsync(client, "b", "SEARCH HEADER X-None x")).ShouldBe(["b NO [CORRUPTION] A message's content is missing"]);
        // The others are there.
        (await AllAsync(client, "c", "FETCH 1 BODY.PEEK[TEXT]"))[^1].ShouldBe("c OK FETCH completed");
    }

    [Fact]
    public async Task Accounts_that_have_the_same_octets_are_not_told_so()
    {
        const string message = "Subject: the same\r\n\r\nthe same\r\n";
        await using var one = await SelectedAsync(null, message, message);
        await using var two = await SelectedAsync(null, message);
        var mine = await IdsAsync(one);
        mine[0].ShouldBe(mine[1]);
        var theirs = await IdsAsync(two);
        theirs.ShouldHaveSingleItem().ShouldNotBe(mine[0]);
        (await AllAsync(one, "a", $"SEARCH EMAILID {mine[0]}"))[0].ShouldBe("* SEARCH 1 2");
        (await AllAsync(one, "b", $"SEARCH EMAILID {theirs[0]}"))[0].ShouldBe("* SEARCH");

        static async Task<List<string>> IdsAsync(ScriptedClient client) =>
            [.. (await AllAsync(client, "i", "FETCH 1:* EMAILID"))[..^1].Select(line => line[(line.IndexOf("(M", StringComparison.Ordinal) + 1)..^2])];
    }

    [Fact]
    public async Task The_answer_to_a_search_is_sent_piece_by_piece()
    {
        var account = await fixture.NewAccountAsync();
        var connection = fixture.Open();
        var client = new ScriptedClient(connection.Client);
        await client.ReadLineAsync();
        await AllAsync(client, "l", $"LOGIN {account.Address} {EventMail.Testing.TestMail.Password}");
        await AllAsync(client, "p", "APPEND INBOX {9+}\r\nX: y\r\n\r\nz");
        await AllAsync(client, "s", "SELECT INBOX");
        for (var i = 0; i < 15; i++)
            (await AllAsync(client, "c", "COPY 1:* INBOX"))[^1].ShouldStartWith("c OK");
        await connection.Client.WriteAsync("a SEARCH ALL\r\n"u8.ToArray());
        // As much as the pipe takes; the server does not pile up more.
        var buffer = new byte[1 << 20];
        (await connection.Client.ReadAsync(buffer)).ShouldBeLessThan(100_000);
        var total = new StringBuilder(Encoding.ASCII.GetString(buffer).TrimEnd('\0'));
        while (!total.ToString(Math.Max(0, total.Length - 30), Math.Min(30, total.Length)).Contains("a OK", StringComparison.Ordinal))
            total.Append(Encoding.ASCII.GetString(buffer, 0, await connection.Client.ReadAsync(buffer)));
        total.ToString().ShouldContain(" 32767 32768\r\n");
        await client.DisposeAsync();
    }
}
