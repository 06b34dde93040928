using System.Text;
using EventMail.EventStore;

namespace EventMail.Projections.Tests;

/// <summary>
/// Golden/ALIAS.json is an event as it lies in the log: it is read, and written again as it was. Golden/ALIAS.WHAT.json is another
/// shape under the same alias, of earlier versions among them: it is read.
/// </summary>
public sealed class GoldenEventTests
{
    private static readonly EventTypeMap Types = EventTypes.Create();
    private static readonly string Folder = Path.Combine(EventsDocumentTests.Root(), "tests", "EventMail.Projections.Tests", "Golden");

    public static TheoryData<string> Aliases => [.. Types.Current.Select(type => type.Alias)];

    public static TheoryData<string> Files => [.. Directory.EnumerateFiles(Folder, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)!).Order()];

    [Fact]
    public void Every_alias_that_can_be_read_has_a_golden_file_and_every_file_an_alias() =>
        Directory.EnumerateFiles(Folder).Select(path => Path.GetFileName(path).Split('.')[0]).Distinct().ShouldBe(Types.Aliases, ignoreOrder: true);

    [Theory, MemberData(nameof(Aliases))]
    public void An_event_is_written_as_its_golden_file_octet_by_octet(string alias)
    {
        var e = Types.Read(alias, Golden(alias));
        var type = Types.Of(e);
        type.Alias.ShouldBe(alias);
        Encoding.UTF8.GetString(type.Write(e)).ShouldBe(Encoding.UTF8.GetString(Golden(alias)));
    }

    [Theory, MemberData(nameof(Files))]
    public void Whatever_shape_an_event_was_written_in_it_is_read(string file) =>
        Types.Read(file.Split('.')[0], Golden(file)).ShouldNotBeOfType<UnknownEvent>();

    [Fact]
    public void Every_alias_leads_to_types_of_today() => Types.Aliases.ShouldAllBe(alias => Types.ReadAs(alias).Count > 0);

    private static byte[] Golden(string file) => Encoding.UTF8.GetBytes(File.ReadAllText(Path.Combine(Folder, file + ".json")).TrimEnd());
}
