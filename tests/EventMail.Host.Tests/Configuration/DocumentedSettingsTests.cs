using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using EventMail.Host.Configuration;

namespace EventMail.Host.Tests.Configuration;

/// <summary>What the documents say of settings is what the program has.</summary>
public sealed partial class DocumentedSettingsTests
{
    public static TheoryData<string> Documents => [.. Directory.GetFiles(Folder(), "*.md", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Folder(), file)), "../README.md"];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_setting_that_a_document_names_exists(string document)
    {
        var sections = SettingsTable.All.Where(setting => setting.Key.Contains(':')).Select(setting => setting.Key.Split(':')[0]).ToHashSet();
        Named().Matches(File.ReadAllText(Path.Combine(Folder(), document))).Select(match => match.Value)
            .Where(key => sections.Contains(key.Split(':')[0]) && !SettingsTable.All.Any(setting => Matches(setting.Key, key)))
            .ShouldBeEmpty();
    }

    // A row of a table that names keys first and their defaults second.
    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_default_in_a_table_is_the_default(string document)
    {
        foreach (Match row in Row().Matches(File.ReadAllText(Path.Combine(Folder(), document))))
        {
            var keys = Quoted().Matches(row.Groups["keys"].Value).Select(match => match.Groups[1].Value).ToList();
            var values = row.Groups["values"].Value == "none" ? [.. keys.Select(_ => "")] : Quoted().Matches(row.Groups["values"].Value).Select(match => match.Groups[1].Value).ToList();
            values.Count.ShouldBe(keys.Count, row.Value);
            foreach (var (key, value) in keys.Zip(values))
                Effective($"{key}={value}").ShouldBe(Effective(), row.Value);
        }
    }

    private static IEnumerable<(string, string)> Effective(params string[] set) =>
        [.. SettingsTable.Effective(new SettingsSources(Path.GetTempPath(), null, set).Load()).Select(entry => (entry.Key, entry.Value))];

    // `Delivery:Tls:partner.example` is `Delivery:Tls:*`; a section may be named without its keys.
    private static bool Matches(string known, string named)
    {
        var (ours, theirs) = (known.Split(':'), named.Split(':'));
        return theirs.Length <= ours.Length && theirs.Zip(ours).All(pair => pair.Second == "*" || pair.First == pair.Second);
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../../docs"));

    [GeneratedRegex(@"(?<![\w:/.])[A-Z]\w+(:[A-Z]\w*)+(?![\w:])")]
    private static partial Regex Named();

    [GeneratedRegex(@"(?m)^\| (?<keys>`[A-Z]\w+(:\w+)+`(, `[A-Z]\w+(:\w+)+`)*) \| (?<values>none|`[^`]*`(, `[^`]*`)*) \|")]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Quoted();
}
