using System.Buffers;
using System.Text;
using EventMail.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.EventStore.Tests.Proof;

public class EventHashTests
{
    private static readonly EventFacts Facts = new(
        "a1", Guid.Parse("019a9c5e-0000-7000-8000-000000000001"), 2, Guid.Parse("019A9C5E-0000-7000-8000-0000000000FF"), "flags_changed",
        "EventMail.Domain.FlagsChanged, EventMail.Domain", new DateTimeOffset(2026, 11, 1, 12, 0, 0, 123, 456, TimeSpan.FromHours(1)),
        "alice \"x\"", "session-1", null, """{"protocol": "imap", "client_ip": "::1", "hash": "not this"}"""u8.ToArray(),
        """{"Uids": "1:3", "Added": ["\\Seen"]}"""u8.ToArray(), new byte[32]);

    // One line, broken for the eye.
    private static readonly string Line = """
        {"causation":null,"clr":"EventMail.Domain.FlagsChanged, EventMail.Domain","correlation":"session-1",
        "data":{"Added":["\\Seen"],"Uids":"1:3"},"headers":{"client_ip":"::1","protocol":"imap"},
        "id":"019a9c5e-0000-7000-8000-0000000000ff","previous":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "stream":"019a9c5e-0000-7000-8000-000000000001","tenant":"a1","time":"2026-11-01T11:00:00.123456Z",
        "type":"flags_changed","user":"alice \"x\"","version":2}
        """.ReplaceLineEndings("");

    [Fact]
    public void An_event_is_one_line_of_canonical_JSON()
    {
        LineOf(Facts).ShouldBe(Line);
        RandomJson.Canonical(Line).ShouldBe(Line);
        EventHash.ToText(EventHash.Of(Encoding.UTF8.GetBytes(Line))).ShouldBe("5dnP69XVmBi4Z3oSG5l0dlujpelIoAQ_yNqnlYBatbA"); // by sha256sum
    }

    [Fact]
    public void What_is_not_there_is_null()
    {
        LineOf(Facts with { HeadersJson = default, Previous = null, User = null, ClrType = null, Correlation = null })
            .ShouldContain("\"clr\":null,\"correlation\":null,\"data\":{");
        LineOf(Facts with { HeadersJson = default }).ShouldContain("\"headers\":null,");
        LineOf(Facts with { HeadersJson = "null"u8.ToArray() }).ShouldContain("\"headers\":null,");
        LineOf(Facts with { HeadersJson = """{"hash": "x"}"""u8.ToArray() }).ShouldContain("\"headers\":{},");
        LineOf(Facts with { Previous = null }).ShouldContain("\"previous\":null,");
    }

    [Fact]
    public void Only_the_headers_own_hash_is_left_out() =>
        LineOf(Facts with
        {
            HeadersJson = """{"a": {"hash": 1}, "\u0068ash": {"b": [2]}, "hashes": 3, "hash": 4}"""u8.ToArray(),
            DataJson = """{"hash": 5}"""u8.ToArray(),
        }).ShouldContain("""
            "data":{"hash":5},"headers":{"a":{"hash":1},"hashes":3},
            """);

    [Fact]
    public void A_change_of_anything_changes_the_hash()
    {
        EventFacts[] others =
        [
            Facts with { Tenant = "a2" }, Facts with { Stream = Guid.Empty }, Facts with { Version = 3 }, Facts with { Id = Guid.Empty },
            Facts with { Type = "x" }, Facts with { ClrType = null }, Facts with { Time = Facts.Time.AddMicroseconds(1) }, Facts with { User = null },
            Facts with { Correlation = "" }, Facts with { Causation = "" }, Facts with { HeadersJson = "{}"u8.ToArray() },
            Facts with { DataJson = """{"Uids": "1:3", "Added": ["\\seen"]}"""u8.ToArray() }, Facts with { Previous = null },
        ];
        others.Select(facts => EventHash.ToText(EventHash.Of(facts))).Append(EventHash.ToText(EventHash.Of(Facts))).Distinct().Count()
            .ShouldBe(others.Length + 1);
    }

    [Fact]
    public void A_hash_is_read_as_it_is_written()
    {
        var hash = EventHash.Of(Facts);
        EventHash.TryParse(EventHash.ToText(hash), out var parsed).ShouldBeTrue();
        parsed.ShouldBe(hash);
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+")]
    [InlineData(" AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("\n\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void Another_applications_text_is_no_hash(string text) => EventHash.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Any_text_of_the_columns_gives_canonical_JSON()
    {
        var texts = ArbMap.Default.ArbFor<NonNull<string>>().Filter(text => !Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.Get)).Contains('\ufffd'));
        Prop.ForAll(texts, text =>
        {
            var line = LineOf(Facts with { User = text.Get, Causation = text.Get });
            return RandomJson.Canonical(line) == line;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(FuzzTimes.Of(200)));
    }

    private static string LineOf(EventFacts facts)
    {
        var output = new ArrayBufferWriter<byte>();
        EventHash.WriteLine(facts, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
