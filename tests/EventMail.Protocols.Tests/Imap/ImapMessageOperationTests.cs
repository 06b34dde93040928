using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using EventMail.Domain.Messages;
using EventMail.Projections.Accounts;
using EventMail.Testing;
using EventMail.Testing.Transcripts;
using Npgsql;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>MULTIAPPEND, CATENATE, REPLACE and BINARY over many and over real messages.</summary>
public sealed class ImapMessageOperationTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private async Task<(long Events, long Commits)> CountAsync(AccountEntry account)
    {
        await using var source = NpgsqlDataSource.Create(fixture.Mail.Database.ConnectionString);
        await using var command = source.CreateCommand(
            "select count(*), count(distinct xmin::text) from mt_events where tenant_id = $1 and type in ('message_appended', 'messages_expunged')");
        command.Parameters.Add(new() { Value = account.Account });
        await using var row = await command.ExecuteReaderAsync();
        await row.ReadAsync();
        return (row.GetInt64(0), row.GetInt64(1));
    }

    /// <summary>What literals the answer has, and its tagged line.</summary>
    private static async Task<(List<byte[]> Literals, string Tagged)> AskAsync(ScriptedClient client, byte[] command)
    {
        var literals = new List<byte[]>();
        await client.SendAsync(command);
        while (true)
        {
            var line = (await client.ReadLineAsync())!;
            if (line.StartsWith("x ", StringComparison.Ordinal))
                return (literals, line);
            if (Regex.Match(line, @"\{(\d+)\}$") is { Success: true } match)
                literals.Add(await client.ReadExactlyAsync(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)));
        }
    }

    private static Task<(List<byte[]> Literals, string Tagged)> AskAsync(ScriptedClient client, string command) =>
        AskAsync(client, Encoding.UTF8.GetBytes($"x {command}\r\n"));

    private static byte[] Append(string mailbox, params byte[][] messages)
    {
        var command = new List<byte>(Encoding.UTF8.GetBytes("x APPEND " + mailbox));
        foreach (var message in messages)
            command.AddRange([.. Encoding.ASCII.GetBytes($" ~{{{message.Length}+}}\r\n"), .. message]);
        return [.. command, .. "\r\n"u8];
    }

    private static byte[] Numbered(int i) => Encoding.ASCII.GetBytes($"Subject: {i}\r\n\r\nbody {i % 10}\r\n");

    [Fact]
    public async Task A_thousand_messages_come_in_one_commit_in_their_order()
    {
        var account = await fixture.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account);
        var (_, tagged) = await AskAsync(client, Append("INBOX", [.. Enumerable.Range(0, 1000).Select(Numbered)]));
        tagged.ShouldMatch(@"x OK \[APPENDUID \d+ 1:1000\] .*");
        (await CountAsync(account)).ShouldBe((1000, 1));
        await AskAsync(client, "SELECT INBOX");
        var (subjects, _) = await AskAsync(client, "FETCH 1:* BODY.PEEK[HEADER.FIELDS (Subject)]");
        subjects.ConvertAll(Encoding.ASCII.GetString).ShouldBe(Enumerable.Range(0, 1000).Select(i => $"Subject: {i}\r\n\r\n"));
    }

    [Theory]
    [InlineData("1000 messages", 1001, 10, "LIMIT")]
    [InlineData("octets in all", 11, 10_000, "TOOBIG")]
    [InlineData("octets in memory", 7, 10_000, "LIMIT")]
    public async Task What_is_too_much_for_one_append_leaves_nothing_behind(string limit, int messages, int size, string code)
    {
        var limits = new Protocols.Imap.ImapLimits
        {
            MaxAppendMessages = limit == "1000 messages" ? 1000 : 5000,
            MaxAppendOctets = limit == "octets in all" ? 100_000 : 1 << 30,
            MaxAppendMemory = limit == "octets in memory" ? 50_000 : 1 << 30,
        };
        var account = await fixture.NewAccountAsync();
        await using var client = await fixture.LogInAsync(account, fixture.ServicesWith(limits));
        var (_, tagged) = await AskAsync(client, Append("INBOX", [.. Enumerable.Repeat(new byte[size], messages)]));
        tagged.ShouldStartWith($"x NO [{code}]");
        (await CountAsync(account)).ShouldBe((0, 0));
        (await AskAsync(client, "STATUS INBOX (UIDNEXT)")).Tagged.ShouldStartWith("x OK");
    }

    [Fact]
    public async Task Over_quota_several_messages_are_none_and_a_replacement_counts_for_its_difference()
    {
        var account = await fixture.Mail.NewAccountAsync(quota: 100_000);
        await using var client = await fixture.LogInAsync(account);
        var large = new byte[40_000];
        large.AsSpan().Fill((byte)'x');
        (await AskAsync(client, Append("INBOX", large, [.. large, 1], [.. large, 2]))).Tagged.ShouldStartWith("x NO [OVERQUOTA]");
        (await CountAsync(account)).ShouldBe((0, 0));
        (await AskAsync(client, Append("INBOX", large, [.. large, 1]))).Tagged.ShouldStartWith("x OK");
        await AskAsync(client, "SELECT INBOX");
        // 40,001 octets have no room beside the others, but they have in the place of 40,000.
        var again = Encoding.Latin1.GetBytes("x REPLACE 1 INBOX {40001+}\r\n" + new string('y', 40_001) + "\r\n");
        (await AskAsync(client, again)).Tagged.ShouldStartWith("x OK");
        (await CountAsync(account)).ShouldBe((4, 2));
        var tooLarge = Encoding.Latin1.GetBytes("x REPLACE 1 Drafts {90000+}\r\n" + new string('y', 90_000) + "\r\n");
        (await AskAsync(client, tooLarge)).Tagged.ShouldStartWith("x NO [OVERQUOTA]");
        (await CountAsync(account)).ShouldBe((4, 2));
        (await AskAsync(client, "FETCH 1:* UID")).Tagged.ShouldStartWith("x OK");
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_has_appended_nothing()
    {
        var account = await fixture.NewAccountAsync();
        var connection = fixture.Open();
        var client = new ScriptedClient(connection.Client);
        await client.ReadLineAsync();
        await AskAsync(client, $"LOGIN {account.Address} {TestMail.Password}");
        await client.SendAsync("a APPEND INBOX {3+}\r\nx\r\n {10+}\r\n1234"u8.ToArray());
        await client.DisposeAsync();
        await connection.Served.WaitAsync(Testing.Waiting.Limit);
        (await CountAsync(account)).ShouldBe((0, 0));
    }

    [ImapCorpusFact]
    public async Task Each_part_of_real_messages_can_be_catenated_as_it_is()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        var compared = 0;
        foreach (var (name, bytes) in ImapCorpus.Messages())
        {
            await AskAsync(client, "CREATE One");
            (await AskAsync(client, Append("One", bytes))).Tagged.ShouldStartWith("x OK", customMessage: name);
            await AskAsync(client, "SELECT One");
            var parts = ImapCorpus.Parts(bytes).Where(part => part.Part.BodyLength > 0).ToList();
            var sections = parts.ConvertAll(part => part.Number);
            sections.AddRange(["HEADER", "TEXT"]);
            var octets = new List<byte[]>();
            var wanted = new List<string>();
            foreach (var section in sections)
            {
                var (literals, _) = await AskAsync(client, $"FETCH 1 BODY.PEEK[{section}]");
                if (literals is not [{ Length: > 0 } only])
                    continue;
                octets.Add(only);
                wanted.Add($"CATENATE (URL \"/One/;UID=1/;SECTION={section}\")");
            }

            (await AskAsync(client, $"APPEND One {string.Join(' ', wanted)}")).Tagged.ShouldStartWith("x OK", customMessage: name);
            var (copies, _) = await AskAsync(client, "FETCH 2:* BODY.PEEK[]");
            copies.Count.ShouldBe(octets.Count, name);
            for (var i = 0; i < copies.Count; i++, compared++)
                copies[i].ShouldBe(octets[i], $"{name} {wanted[i]}");
            await AskAsync(client, "UNSELECT");
            await AskAsync(client, "DELETE One");
        }

        compared.ShouldBeGreaterThan(80);
    }

    [ImapCorpusFact]
    public async Task Binary_of_each_part_of_real_messages_is_what_another_decoder_makes_of_it()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        var decoded = 0;
        var number = 0;
        await AskAsync(client, "SELECT INBOX");
        foreach (var (name, bytes) in ImapCorpus.Messages())
        {
            (await AskAsync(client, Append("INBOX", bytes))).Tagged.ShouldStartWith("x OK");
            number++;
            foreach (var (section, part) in ImapCorpus.Parts(bytes))
            {
                if (part.TransferEncoding == TransferEncoding.Unknown && part.Kind is PartKind.Basic or PartKind.Text)
                    continue;
                var (literals, tagged) = await AskAsync(client, $"FETCH {number} (BODY.PEEK[{section}] BINARY.PEEK[{section}] BINARY.PEEK[{section}]<1.7>)");
                tagged.ShouldStartWith("x OK", customMessage: $"{name} {section}");
                var isContainer = part.Kind == PartKind.Multipart || part.EmbeddedMessage is not null;
                var expected = isContainer ? literals[0] : Decode(literals[0], part.TransferEncoding);
                literals[1].ShouldBe(expected, $"{name} {section}");
                literals[2].ShouldBe(expected.Skip(1).Take(7).ToArray(), $"{name} {section}");
                await client.SendLineAsync($"s FETCH {number} BINARY.SIZE[{section}]");
                (await client.ReadLineAsync()).ShouldBe($"* {number} FETCH (BINARY.SIZE[{section}] {expected.Length})");
                await client.ExpectMatchAsync("s OK .*");
                decoded += part.TransferEncoding is TransferEncoding.Base64 or TransferEncoding.QuotedPrintable ? 1 : 0;
            }
        }

        decoded.ShouldBeGreaterThan(10);
    }

    [Theory]
    [InlineData("base64")]
    [InlineData("quoted-printable")]
    [InlineData("binary")]
    public async Task A_large_part_is_decoded_piece_by_piece(string encoding)
    {
        var content = new byte[300_000];
        new Random(7).NextBytes(content);
        var body = encoding switch
        {
            "base64" => Encoding.ASCII.GetBytes(Convert.ToBase64String(content, Base64FormattingOptions.InsertLineBreaks)),
            "quoted-printable" => Encoding.ASCII.GetBytes(string.Join("=\r\n", content.Chunk(20).Select(line => string.Concat(line.Select(b => $"={b:X2}"))))),
            _ => content,
        };
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        byte[] message = [.. Encoding.ASCII.GetBytes($"Content-Type: image/png\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"), .. body];
        (await AskAsync(client, Append("INBOX", message))).Tagged.ShouldStartWith("x OK");
        await AskAsync(client, "SELECT INBOX");
        var (literals, _) = await AskAsync(client, "FETCH 1 (BINARY.PEEK[1] BINARY.PEEK[1]<70000.150000> BINARY.PEEK[1]<299990.100>)");
        literals[0].ShouldBe(content);
        literals[1].ShouldBe(content[70_000..220_000]);
        literals[2].ShouldBe(content[299_990..]);
        (await client.AskAsync("s FETCH 1 BINARY.SIZE[1]")).ShouldBe("* 1 FETCH (BINARY.SIZE[1] 300000)");
    }

    // RFC 2045 §6.7, §6.8 in other words than the server's.
    private static byte[] Decode(byte[] body, TransferEncoding encoding)
    {
        var text = Encoding.Latin1.GetString(body);
        switch (encoding)
        {
            case TransferEncoding.Base64:
                return [.. Regex.Matches(Regex.Replace(text, "[^A-Za-z0-9+/=]", ""), "[A-Za-z0-9+/]+=*").SelectMany(run =>
                {
                    var letters = run.Value.TrimEnd('=');
                    letters = letters.Length % 4 == 1 ? letters[..^1] : letters;
                    return Convert.FromBase64String(letters.PadRight((letters.Length + 3) / 4 * 4, '='));
                })];
            case TransferEncoding.QuotedPrintable:
                text = Regex.Replace(text, @"[ \t]+(?=\r?\n|$)", "");
                text = Regex.Replace(text, @"=(\r?\n|$)", "");
                return Encoding.Latin1.GetBytes(Regex.Replace(text, "=([0-9A-Fa-f]{2})", hex => ((char)Convert.ToInt32(hex.Groups[1].Value, 16)).ToString()));
            default:
                return body;
        }
    }
}
