using System.Text;
using System.Text.RegularExpressions;
using EventMail.Testing;

namespace EventMail.Host.Tests.Moving;

public sealed partial class ExportTests(MovingSite site) : IClassFixture<MovingSite>
{
    private const string Mail = """
        From alice@example.org Mon Feb  3 12:34:56 2025
        Status: RO
        X-Status: AF
        X-Keywords: $Forwarded work
        Subject: one

        >From here on
        >>From there
        not >From

        From bob@example.org Tue Feb  4 01:02:03 2025
        Subject: two

        end


        """;

    [Theory]
    [InlineData("mbox")]
    [InlineData("maildir")]
    public async Task What_is_exported_comes_back_octet_for_octet_with_flags_and_dates(string format)
    {
        var (from, to) = (await site.NewAccountAsync(), await site.NewAccountAsync());
        await site.DoAsync("import", "mbox", site.Write("in.mbox", Mail), from, "Work/Été.1");
        await site.DoAsync("import", "mbox", site.Write("raw.mbox", $"From a@b Mon Feb  3 12:34:56 2025\r\nSubject: mixed\r\n\r\nlf\ncrlf\r\n{new string('>', 70_000)}From x\r\n\r\n"), from);
        var target = Path.Combine(site.Files, $"out-{format}");
        (await site.DoAsync("export", format, from, target)).ShouldContain("3 messages of 8 mailboxes");
        (await site.RunAsync("export", format, from, target)).Error.ShouldContain("is there already");
        if (format == "mbox")
        {
            await site.DoAsync("import", "mbox", Path.Combine(target, "Work", "Été.1.mbox"), to, "Work/Été_1");
            await site.DoAsync("import", "mbox", Path.Combine(target, "INBOX.mbox"), to);
        }
        else
        {
            await site.DoAsync("import", "maildir", target, to);
        }
        await SameAsync(from, "INBOX", to, "INBOX");
        await SameAsync(from, "Work/Été.1", to, "Work/Été_1");
    }

    [Fact]
    public async Task A_mailbox_is_exported_as_it_was()
    {
        var address = await site.NewAccountAsync();
        await site.DoAsync("import", "mbox", site.Write("then.mbox", Mail), address);
        var then = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        await site.DoAsync("import", "mbox", site.Write("now.mbox", "From a@b Mon Feb  3 12:34:56 2025\nSubject: later\n\nx\n"), address);
        var target = Path.Combine(site.Files, "then");
        (await site.DoAsync("export", "eml", address, "INBOX", target, "--at", then)).ShouldContain("2 messages");
        File.ReadAllText(Path.Combine(target, "INBOX", "0000000001.eml")).ShouldBe("Subject: one\n\nFrom here on\n>From there\nnot >From\n".ReplaceLineEndings("\r\n"));
        File.ReadAllLines(Path.Combine(target, "INBOX", "index.jsonl")).Length.ShouldBe(3);
        (await site.DoAsync("export", "mbox", address, "INBOX", target + "-now.mbox")).ShouldContain("3 messages");
        (await site.RunAsync("export", "mbox", address, "Nowhere", target + "2")).Error.ShouldContain("No such mailbox");
        (await site.RunAsync("export", "mbox", address, target + "2", "--at", "2001-01-01")).Error.ShouldContain("before the account");
        (await site.RunAsync("export", "mbox", address, target + "2", "--at", "2999-01-01")).Error.ShouldContain("is in the future");
        (await site.RunAsync("export", "mbox", "nobody@moving.example", target + "2")).Error.ShouldContain("There is no account nobody@moving.example");
        (await site.RunAsync("restore-backup", target + "none")).Error.ShouldContain("there is no finished backup in it");
        Directory.EnumerateFileSystemEntries(site.Files, "*.unfinished*").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_is_named_and_the_command_fails_with_the_others_written()
    {
        var address = await site.NewAccountAsync();
        await site.DoAsync("import", "mbox", site.Write("lost.mbox", Mail.Replace("Subject: ", "Subject: lost ", StringComparison.Ordinal)), address);
        var (lost, target) = ((await site.MessagesAsync(address))[0].Sha256, Path.Combine(site.Files, "lost"));
        await using (var delete = site.Database.DataSource.CreateCommand($"update eventmail.content set data = '\\x00' where digest = '\\x{lost}' returning number"))
            (await delete.ExecuteScalarAsync()).ShouldNotBeNull();
        var result = await site.RunAsync("export", "eml", address, "INBOX", target);
        result.ExitCode.ShouldBe(1);
        result.Error.ShouldContain("left out: INBOX, UID 1: ");
        result.Error.ShouldContain("1 message left out of");
        Directory.GetFiles(target, "*.eml", SearchOption.AllDirectories).Select(Path.GetFileName).ShouldBe(["0000000002.eml"]);
    }

    [Fact]
    public async Task A_name_that_is_too_long_for_a_Maildir_is_cut()
    {
        var (from, to) = (await site.NewAccountAsync(), await site.NewAccountAsync());
        var above = $"{new string('Б', 120)}/{new string('в', 120)}";
        foreach (var name in (string[])["a", "b"])
            await site.DoAsync("import", "mbox", site.Write($"long-{name}.mbox", $"From a@b Mon Feb  3 12:34:56 2025\nSubject: {name}\n\nx\n"), from, $"{above}/{name}");
        var target = Path.Combine(site.Files, "long");
        await site.DoAsync("export", "maildir", from, target);
        Directory.GetDirectories(target).ShouldAllBe(folder => Path.GetFileName(folder).Length <= 250);
        (await site.DoAsync("import", "maildir", target, to)).ShouldContain("2 imported, 0 there already, 0 skipped");
    }

    [Theory]
    [InlineData("mbox")]
    [InlineData("eml")]
    [InlineData("maildir")]
    public async Task Mailboxes_of_any_names_are_exported_and_come_back(string format)
    {
        var (from, to) = (await site.NewAccountAsync(), await site.NewAccountAsync());
        string[] names =
        [
            "a", "a.mbox/b", "a/b", "a/index.jsonl", "a/0000000001.eml", "Case", "case", "..", ".hidden", "dot.", "Re: what?", "nul", "a~2",
            new string('x', 250), new string('X', 250), $"{new string('Б', 125)}/{new string('Б', 125)}",
        ];
        foreach (var (name, i) in names.Select((name, i) => (name, i)))
            await site.DoAsync("import", "mbox", site.Write($"names-{i}.mbox", $"From a@b Mon Feb  3 12:34:56 2025\nSubject: {i}\n\n{format}\n"), from, name);
        var target = Path.Combine(site.Files, $"names-{format}");
        var result = await site.RunAsync("export", format, from, target);
        result.ExitCode.ShouldBe(0, result.Error);
        // Each below the target, in a place of its own that a file system of any kind holds.
        var written = Directory.GetFiles(target, format == "maildir" ? "*.eventmail*" : $"*.{format}", SearchOption.AllDirectories);
        written.ShouldAllBe(path => Path.GetRelativePath(target, path).Split('/', StringSplitOptions.None).All(level => level.Length <= 255 && level != ".."));
        if (format == "maildir")
        {
            (await site.DoAsync("import", "maildir", target, to)).ShouldContain($"{names.Length} imported, 0 there already, 0 skipped");
            foreach (var name in names.Where(name => !name.Contains('.', StringComparison.Ordinal) && name.Length < 100))
                await SameAsync(from, name, to, name);
            return;
        }
        var renamed = result.Error.Split('\n').Select(line => Renamed().Match(line)).Where(match => match.Success)
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["path"].Value);
        foreach (var (name, i) in names.Select((name, i) => (name, i)))
        {
            var path = Path.Combine(target, renamed.GetValueOrDefault(name, format == "mbox" ? name + ".mbox" : name));
            if (format == "mbox")
            {
                await site.DoAsync("import", "mbox", path, to, name);
                await SameAsync(from, name, to, name);
            }
            else
            {
                File.ReadAllText(Directory.GetFiles(path, "*.eml").ShouldHaveSingleItem()).ShouldStartWith($"Subject: {i}\r\n");
                File.ReadLines(Path.Combine(path, "index.jsonl")).First().ShouldContain(System.Text.Json.JsonSerializer.Serialize(name));
            }
        }
    }

    [Fact]
    public async Task The_log_is_exported_as_canonical_lines()
    {
        var address = await site.NewAccountAsync();
        var (all, own) = (Path.Combine(site.Files, "all.events"), Path.Combine(site.Files, "own.events"));
        (await site.DoAsync("export", "events", all)).ShouldContain(" events up to position ");
        await site.DoAsync("export", "events", address, own);
        var count = await RestoredSite.LinesAsync(site.Database, "select count(*) from public.mt_events");
        File.ReadAllLines(all).Length.ShouldBe(int.Parse(count[0]) + 2);
        File.ReadAllLines(own).Length.ShouldBeLessThan(File.ReadAllLines(all).Length);
    }

    private async Task SameAsync(string from, string mailbox, string to, string there)
    {
        var (before, after) = (await site.MessagesAsync(from, mailbox), await site.MessagesAsync(to, there));
        before.Count.ShouldBeGreaterThan(0);
        after.Select(Words).ShouldBe(before.Select(Words), ignoreOrder: true);
    }

    private static string Words(StoredMessage message) =>
        new StringBuilder(message.Sha256).Append(message.Date.ToUnixTimeSeconds()).AppendJoin(' ', message.Flags.Order()).ToString();

    [GeneratedRegex("^mailbox (?<name>.*) is in (?<path>.*)$")]
    private static partial Regex Renamed();
}
