using System.Globalization;
using System.Text;
using System.Text.Json;
using EventMail.Testing;
using FsCheck;
using FsCheck.Fluent;
using static EventMail.EventStore.Tests.Proof.RandomJson;

namespace EventMail.EventStore.Tests.Proof;

public class CanonicalJsonTests
{
    [Theory]
    // RFC 8785 section 3.2.2, without its numbers
    [InlineData("""{ "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }""",
        """{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}""")]
    // RFC 8785 section 3.2.3
    [InlineData("""
        {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
         "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}
        """,
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\","
        + "\"😀\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}")]
    [InlineData("""{"1": {"f": {"f": "hi", "F": 5}, "\n": 56}, "10": {}, "": "empty", "a": {}, "111": [{"e": "yes", "E": "no"}], "A": {}}""",
        """{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}""")]
    [InlineData("""{"peach": "x", "péché": "y", "pêche": "z", "sin": ""}""", """{"peach":"x","péché":"y","pêche":"z","sin":""}""")]
    [InlineData(" [ 56 , { \"d\" : true , \"10\" : null , \"1\" : [ ] } ] ", """[56,{"1":[],"10":null,"d":true}]""")]
    // What sorts before a name with an escape, and behind it, is decided by what the escape stands for.
    [InlineData("""{"[": 1, "\"": 2, "\\": 3, "\u0001": 4, "\u001f": 5, "]": 6, "a\nb": 7, "a": 8, "a\u000bb": 9}""",
        """{"\u0001":4,"\u001f":5,"\"":2,"[":1,"\\":3,"]":6,"a":8,"a\nb":7,"a\u000bb":9}""")]
    [InlineData("\"\u007f\u2028</script>\"", "\"\u007f\u2028</script>\"")]
    [InlineData("-0", "0")]
    [InlineData("[0, -1, 9007199254740991, 12.50]", "[0,-1,9007199254740991,12.50]")]
    [InlineData("{}", "{}")]
    public void The_canonical_form_is_that_of_RFC_8785(string json, string canonical) => Canonical(json).ShouldBe(canonical);

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("{\"a\": 01}")]
    [InlineData("// comment")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"\\udc00\": 1}")]
    public void What_is_no_JSON_is_refused(string json) => Should.Throw<JsonException>(() => Canonical(json));

    [Fact]
    public void Of_members_with_the_same_name_the_last_stays_as_in_jsonb() =>
        Canonical("""{"b": 1, "a": {"x": 1}, "b": 2, "\u0061": [3], "b": {"c": 1, "c": 4}}""").ShouldBe("""{"a":[3],"b":{"c":4}}""");

    [Fact]
    public void Depth_has_no_limit()
    {
        const int depth = 20_000;
        var json = new StringBuilder().Insert(0, "{\"b\":[", depth).Append('1').Insert(0, " ").AppendJoin("", Enumerable.Repeat("]}", depth)).ToString();
        Canonical(json).ShouldBe(json.TrimStart());
    }

    [Fact]
    public void A_canonical_form_means_the_same_and_is_its_own() =>
        Prop.ForAll(Objects, json =>
        {
            var canonical = Canonical(json);
            return Same(canonical, json) && Canonical(canonical) == canonical;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(FuzzTimes.Of(500)));

    [Fact]
    public void Members_are_in_the_order_of_their_UTF_16_code_units() =>
        Prop.ForAll(Objects, json =>
        {
            using var document = JsonDocument.Parse(Canonical(json));
            var names = document.RootElement.EnumerateObject().Select(m => m.Name).ToList();
            return names.SequenceEqual(names.Order(StringComparer.Ordinal));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(FuzzTimes.Of(500)));

    [Fact]
    public async Task What_PostgreSQL_gives_back_has_the_canonical_form_of_what_was_written()
    {
        await using var database = await TestDatabase.CreateAsync();
        // jsonb has no NUL; the events' writer leaves none.
        var written = Objects.Generator.Sample(FuzzTimes.Of(500)).ToArray();
        await using var command = database.DataSource.CreateCommand("select j::text from unnest($1::jsonb[]) with ordinality as t (j, n) order by n");
        command.Parameters.Add(new() { Value = written, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Jsonb });
        await using var reader = await command.ExecuteReaderAsync();
        foreach (var json in written)
        {
            (await reader.ReadAsync()).ShouldBeTrue();
            Canonical(reader.GetString(0)).ShouldBe(Canonical(json), string.Create(CultureInfo.InvariantCulture, $"of {json}"));
        }
    }
}
