using System.Text.RegularExpressions;
using EventMail.Protocols.Tests.Imap;
using EventMail.Testing.Transcripts;

namespace EventMail.Protocols.Tests;

/// <summary>docs/protocols says what is supported and which test holds it: no row without a test, no capability without a row.</summary>
public sealed partial class ProtocolDocumentsTests(ImapFixture fixture) : IClassFixture<ImapFixture>
{
    private sealed record Row(string File, string[] Cells)
    {
        public string Tests => Cells[^1];
    }

    private static readonly string Root = FindRoot();

    private static readonly List<Row> Rows =
    [
        .. from file in Directory.GetFiles(Path.Combine(Root, "docs", "protocols"), "*.md")
           from line in File.ReadLines(file)
           where line.StartsWith('|') && !line.StartsWith("| ---", StringComparison.Ordinal) && !line.StartsWith("| RFC", StringComparison.Ordinal)
           select new Row(Path.GetFileName(file), [.. line.Trim('|').Split('|').Select(cell => cell.Trim())]),
    ];

    // Tables of something else than protocols have no tests in their last column.
    private static IEnumerable<Row> Protocols => Rows.Where(row => row.File != "imap-differences.md");

    [Fact]
    public void Every_row_names_tests_that_exist()
    {
        var tests = Directory.GetFiles(Path.Combine(Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .SelectMany(file => Class().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).ToHashSet();
        var dialogues = Directory.GetFiles(Path.Combine(Root, "tests", "EventMail.Protocols.Tests", "Transcripts"), "*.txt", SearchOption.AllDirectories)
            .Select(Path.GetFileName).ToHashSet();
        foreach (var row in Protocols)
        {
            var named = Test().Matches(row.Tests).Select(match => match.Groups[1].Value).ToList();
            if (row.Tests is not ("all" or "lmtp/*.txt, `SmtpFailureTests`"))
                named.ShouldNotBeEmpty($"{row.File}: {row.Cells[0]}");
            named.ShouldAllBe(name => tests.Contains(name) || dialogues.Contains(name) || name.Contains('*'), $"{row.File}: {row.Cells[0]}");
        }
    }

    [Fact]
    public async Task Every_capability_has_a_row()
    {
        await using var client = await fixture.LogInAsync(await fixture.NewAccountAsync());
        var before = new ScriptedClient(fixture.Open().Client);
        var capabilities = Capability().Match((await before.ReadLineAsync())!).Groups[1].Value.Split(' ').ToHashSet();
        await client.SendLineAsync("a CAPABILITY");
        capabilities.UnionWith((await client.ReadLineAsync())!["* CAPABILITY ".Length..].Split(' '));
        await before.DisposeAsync();

        var documented = Protocols.Where(row => row.File.StartsWith("imap", StringComparison.Ordinal) || row.File == "logins.md").Select(row => row.Cells[0]).ToList();
        foreach (var capability in capabilities)
        {
            // "AUTH=PLAIN" is PLAIN's row, "APPENDLIMIT=50" APPENDLIMIT's; RIGHTS= belongs to ACL.
            var name = capability.StartsWith("AUTH=", StringComparison.Ordinal) ? capability[5..] : Value().Replace(capability, "");
            if (name is not ("IMAP4rev1" or "RIGHTS"))
                documented.ShouldContain(cell => Regex.IsMatch(cell, $@"(?<![\w-]){Regex.Escape(name)}(?![\w])"), capability);
        }
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "EventMail.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run below the repository.");
        return folder.FullName;
    }

    [GeneratedRegex(@"class (\w+Tests)\b")]
    private static partial Regex Class();

    [GeneratedRegex(@"(\w+Tests|[\w*-]+\.txt)")]
    private static partial Regex Test();

    [GeneratedRegex(@"\[CAPABILITY ([^\]]*)\]")]
    private static partial Regex Capability();

    // What follows a number or a list of rights is no name.
    [GeneratedRegex(@"=(\d+|[a-z]+)$")]
    private static partial Regex Value();
}
