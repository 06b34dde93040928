using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using EventMail.EventStore;

namespace EventMail.Projections.Tests;

/// <summary>docs/events.md says what the event type map has: every alias, every field, and nothing else.</summary>
public sealed partial class EventsDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(Root(), "docs", "events.md"));

    public static TheoryData<string> Aliases => [.. EventTypes.Create().Current.Select(type => type.Alias)];

    [Fact]
    public void Every_event_has_a_section_and_every_section_an_event() =>
        Sections().Keys.Order().ShouldBe(EventTypes.Create().Aliases.Order());

    [Theory, MemberData(nameof(Aliases))]
    public void An_event_is_described_with_exactly_its_fields_and_an_example(string alias)
    {
        var type = TypeOf(alias).Type;
        var fields = type.GetProperties().Where(property => property.GetMethod!.IsPublic).Select(property => property.Name).Order();
        var section = Sections()[alias];
        Field().Matches(section).Select(match => match.Groups[1].Value).Order().ShouldBe(fields);

        using var example = JsonDocument.Parse(Example().Match(section).Groups[1].Value);
        example.RootElement.EnumerateObject().Select(member => member.Name).Order().ShouldBe(fields);
    }

    /// <summary>JSON.</summary>
    internal static byte[] ExampleOf(string alias) => Encoding.UTF8.GetBytes(Example().Match(Sections()[alias]).Groups[1].Value);

    private static EventType TypeOf(string alias) => EventTypes.Create().Current.Single(type => type.Alias == alias);

    private static Dictionary<string, string> Sections()
    {
        var headings = Heading().Matches(Document);
        return headings.Select((heading, i) => (Alias: heading.Groups[1].Value, heading.Index, End: i + 1 < headings.Count ? headings[i + 1].Index : Document.Length))
            .ToDictionary(section => section.Alias, section => Document[section.Index..section.End]);
    }

    internal static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "EventMail.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run below the repository.");
        return folder.FullName;
    }

    [GeneratedRegex(@"^### `(\w+)`$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Field();

    [GeneratedRegex(@"```json\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Example();
}
