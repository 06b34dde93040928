using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.EventStore.Tests;

public sealed record CounterRaisedV1(int Amount);

public sealed record CounterRaisedV2(int By);

[JsonSerializable(typeof(CounterRaisedV1))]
[JsonSerializable(typeof(CounterRaisedV2))]
internal sealed partial class OldCountingJson : JsonSerializerContext;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CounterLowered))]
internal sealed partial class CamelCaseJson : JsonSerializerContext;

public class EventTypeMapTests
{
    [Theory]
    [InlineData("MessageReceived", "message_received")]
    [InlineData("IMAPFlagsChanged", "imap_flags_changed")]
    [InlineData("FlagsChangedByIMAP", "flags_changed_by_imap")]
    [InlineData("Message2Received", "message_2_received")]
    [InlineData("Message", "message")]
    [InlineData("A", "a")]
    public void Aliases_follow_Martens_rule(string className, string alias) => EventTypeMap.MartenAlias(className).ShouldBe(alias);

    [Fact]
    public void Registered_aliases_are_those_that_Marten_derives() =>
        Counters.Types().Current.ShouldAllBe(t => t.Alias == EventTypeMap.MartenAlias(t.Type.Name));

    [Theory]
    [InlineData("a\0b", "a\uFFFDb")]
    [InlineData("\0\0", "\uFFFD\uFFFD")]
    [InlineData("\\\0", "\\\uFFFD")]
    [InlineData("\\u0000", "\\u0000")]
    [InlineData("\\\\u0000\0", "\\\\u0000\uFFFD")]
    [InlineData("plain", "plain")]
    public async Task A_nul_does_not_keep_an_event_out_of_the_log(string name, string stored)
    {
        await using var log = await TestLog.OpenAsync();
        var counter = Counters.New();
        var other = log.ExecuteAsync(Counters.Raise(Counters.New()));
        await log.ExecuteAsync(new Act(counter, d => d.Append(counter.Key, new CounterRaised(1, name))));
        await other;
        ((CounterRaised)(await log.Node.Reader.ReadStreamAsync(counter.Key).SingleAsync()).Data).Why.ShouldBe(stored);
    }

    // Golden: what earlier versions wrote, byte for byte.
    private const string GoldenV1 = """{"Amount": 4}""";
    private const string GoldenV2 = """{"By": 4}""";
    private const string GoldenV3 = """{"By": 4, "Why": "because"}""";

    private static EventTypeMap WithOldVersions() => new EventTypeMap()
        .Register("counter_raised_v3", CountingJson.Default.CounterRaised)
        .Upcast("counter_raised", OldCountingJson.Default.CounterRaisedV1, (CounterRaisedV1 old) => new CounterRaisedV2(old.Amount))
        .Upcast("counter_raised_v2", OldCountingJson.Default.CounterRaisedV2, (CounterRaisedV2 old) => new CounterRaised(old.By, "unknown"))
        .Upcast("counter_bumped", json => new CounterRaisedV2(json.GetProperty("Steps").GetArrayLength()));

    [Theory]
    [InlineData("counter_raised", GoldenV1, "unknown")]
    [InlineData("counter_raised_v2", GoldenV2, "unknown")]
    [InlineData("counter_raised_v3", GoldenV3, "because")]
    [InlineData("counter_bumped", """{"Steps": [1, 1, 1, 1]}""", "unknown")]
    public void Old_versions_are_upcast_step_by_step(string alias, string json, string why) =>
        WithOldVersions().Read(alias, Encoding.UTF8.GetBytes(json)).ShouldBe(new CounterRaised(4, why));

    [Fact]
    public void The_current_version_is_written_as_its_golden_JSON()
    {
        var type = WithOldVersions().Of(new CounterRaised(4, "because"));
        type.Alias.ShouldBe("counter_raised_v3");
        Encoding.UTF8.GetString(type.Write(new CounterRaised(4, "because"))).ShouldBe(GoldenV3.Replace(": ", ":").Replace(", ", ","));
    }

    [Fact]
    public void An_alias_nobody_registered_is_read_as_unknown() =>
        Counters.Types().Read("order_placed", "{\"Total\": 3}"u8).ShouldBe(new UnknownEvent("order_placed", "{\"Total\": 3}"));

    [Fact]
    public void Member_names_are_case_sensitive() =>
        ((CounterRaised)Counters.Types().Read("counter_raised", "{\"by\": 3, \"Why\": \"x\"}"u8)).By.ShouldBe(0);

    [Fact]
    public void Types_and_aliases_are_registered_once_and_with_Martens_JSON()
    {
        var types = Counters.Types();
        Should.Throw<ArgumentException>(() => types.Register("counter_lowered", CountingJson.Default.CounterNamed));
        Should.Throw<ArgumentException>(() => types.Register("other", CountingJson.Default.CounterNamed));
        Should.Throw<ArgumentException>(() => new EventTypeMap().Register("counter_lowered", CamelCaseJson.Default.CounterLowered));
        Should.Throw<ArgumentException>(() => types.Of(new CounterRaisedV1(1)));
        Should.Throw<JsonException>(() => types.Read("counter_lowered", "null"u8));
    }
}
