using System.Text;
using System.Text.Json.Nodes;

namespace EventMail.EventStore.Tests.Sealing;

public sealed class PersonalJsonTests
{
    private static readonly PersonalMembers Members = new(true, "Name", "Note?", "Words[]", "Place.Street", "People.Address", "People.Nick?");

    [Theory]
    [InlineData("""{"Id":1,"Name":"Ann"}""", """{"Id":1,"Name":""}""", """{"Name":"Ann"}""")]
    [InlineData("""{"Name":"Ann","Note":"n","Id":1}""", """{"Name":"","Note":null,"Id":1}""", """{"Name":"Ann","Note":"n"}""")]
    [InlineData("""{"Words":["a","b"],"Id":[1]}""", """{"Words":[],"Id":[1]}""", """{"Words":["a","b"]}""")]
    [InlineData(
        """{"Place":{"Street":"s","Town":"t"},"Other":{"Street":"o"}}""", """{"Place":{"Street":"","Town":"t"},"Other":{"Street":"o"}}""",
        """{"Place":{"Street":"s"}}""")]
    [InlineData(
        """{"People":[{"Domain":"d"},{"Address":"a","Nick":"n"},{"Address":"b","Nick":null}]}""",
        """{"People":[{"Domain":"d"},{"Address":"","Nick":null},{"Address":"","Nick":null}]}""",
        """{"People":[{},{"Address":"a","Nick":"n"},{"Address":"b"}]}""")]
    [InlineData("""{"Name":"\"}],\\","Id":"\"Sealed\":\"x\""}""", """{"Name":"","Id":"\"Sealed\":\"x\""}""", """{"Name":"\"}],\\"}""")]
    public void What_is_personal_is_taken_out_and_put_back(string json, string rest, string taken)
    {
        var splitter = new PersonalSplitter();
        splitter.Split(Encoding.UTF8.GetBytes(json), Members).ShouldBeTrue();
        (Encoding.UTF8.GetString(splitter.Rest.Written) + "}").ShouldBe(rest);
        Encoding.UTF8.GetString(splitter.Taken.Written).ShouldBe(taken);
        Merged(rest, taken).ShouldBe(json);
        // As jsonb tells it: in another order, with white space.
        var other = new JsonObject(JsonNode.Parse(rest)!.AsObject().Reverse().Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));
        JsonNode.DeepEquals(JsonNode.Parse(Merged(other.ToJsonString(new() { WriteIndented = true }), taken)), JsonNode.Parse(json)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"Id":1}""")]
    [InlineData("""{"Name":"","Note":null,"Words":[],"Place":null,"People":[]}""")]
    [InlineData("""{"People":[{"Address":""},{}],"Place":{"Town":"t"}}""")]
    public void Where_nothing_is_said_nothing_is_sealed(string json) =>
        new PersonalSplitter().Split(Encoding.UTF8.GetBytes(json), Members).ShouldBeFalse();

    private static string Merged(string json, string taken) => Encoding.UTF8.GetString(PersonalMerge.Merge(Encoding.UTF8.GetBytes(json), Encoding.UTF8.GetBytes(taken)));
}
