using System.Text;
using EventMail.EventStore;
using EventMail.Projections.History.Words;

namespace EventMail.Projections.Tests.History;

public sealed class WordsTests
{
    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Golden, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)!).Order()];

    private static string Golden => Path.Combine(EventsDocumentTests.Root(), "tests", "EventMail.Projections.Tests", "Golden");

    [Theory, MemberData(nameof(Files))]
    public void Every_event_has_words_on_one_line_and_no_secret(string file)
    {
        var e = EventTypes.Create().Read(file.Split('.')[0], File.ReadAllBytes(Path.Combine(Golden, file + ".json")));
        var words = DeliveryWords.Of(e, ["bob@b.example"]) ?? HistoryWords.Of(e, _ => "Work", id => id);
        words.ShouldNotBe(HistoryWords.Unknown);
        words.ShouldNotBeNullOrWhiteSpace();
        words.ShouldNotContain("secret words");
        words.ShouldNotContain("$argon2");
    }

    [Fact]
    public void An_event_of_another_program_is_told_as_such() =>
        HistoryWords.Of(new UnknownEvent("theirs", "{}"), _ => "", id => id).ShouldBe(HistoryWords.Unknown);

    // The vector of the authors' reference implementation: key 00…0f, message 00…0e.
    [Fact]
    public void SipHash_is_that_of_its_authors()
    {
        var bytes = Enumerable.Range(0, 16).Select(i => (byte)i).ToArray();
        new Projections.History.Index.SipHash(bytes).Of(bytes.AsSpan(0, 15)).ShouldBe(0xa129ca6149be45e5UL);
        new Projections.History.Index.SipHash(bytes).Of(Encoding.ASCII.GetBytes("")).ShouldBe(0x726fdb47dd0e0e31UL);
    }
}
