using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.EventStore.Tests.Proof;

/// <summary>Made-up JSON texts as an event may have them: any text, integers below 2^53, nested, its members in any order, any escapes and white space.</summary>
internal static class RandomJson
{
    private static readonly string[] Characters =
    [
        "a", "b", "Z", "0", "\"", "\\", "/", "\b", "\t", "\n", "\f", "\r", "\u0001", "\u001f", " ", "\u007f", "\u0080", "ö", "€", "\u2028", "\ud7ff",
        "\ue000", "\ufb33", "\uffff", "😂", "\U0010ffff", "u", "n", "\\u0041", "<", "&",
    ];

    private static readonly Gen<string> Text = Gen.Elements(Characters).ListOf().Select(string.Concat);

    private static readonly Gen<long> Number = Gen.OneOf(
        Gen.Choose(-3, 3).Select(i => (long)i),
        Gen.Choose(int.MinValue, int.MaxValue).Select(i => i * (1L << 21)));

    /// <summary>The text of an object.</summary>
    public static readonly Arbitrary<string> Objects =
        Gen.Sized(size => Object(Math.Min(size, 6))).Select(Print).ToArbitrary();

    private static Gen<JsonNode?> Node(int depth)
    {
        var plain = Gen.OneOf(
            Text.Select(text => (JsonNode?)JsonValue.Create(text)),
            Number.Select(number => (JsonNode?)JsonValue.Create(number)),
            Gen.Elements<JsonNode?>(null, JsonValue.Create(true), JsonValue.Create(false)).Select(node => node?.DeepClone()));
        return depth <= 0
            ? plain
            : Gen.OneOf(plain, Object(depth - 2), Gen.Resize(Node(depth - 2).ListOf(), 4).Select(list => (JsonNode?)new JsonArray([.. list])));
    }

    private static Gen<JsonNode?> Object(int depth) =>
        Gen.Resize(Text.Zip(Node(depth - 1)).ListOf(), 6).Select(members =>
        {
            var made = new JsonObject();
            foreach (var (name, value) in members)
                made[name] = value?.DeepClone();
            return (JsonNode?)made;
        });

    // The serializers differ in white space and in what they escape.
    private static string Print(JsonNode? node)
    {
        var text = node!.ToJsonString(new() { WriteIndented = node.ToJsonString().Length % 2 == 0 });
        return text.Length % 3 != 0
            ? text
            : node.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    public static string Canonical(string json)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        CanonicalJson.Write(Encoding.UTF8.GetBytes(json), output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    public static bool Same(string one, string other)
    {
        using var x = JsonDocument.Parse(one);
        using var y = JsonDocument.Parse(other);
        return JsonElement.DeepEquals(x.RootElement, y.RootElement);
    }
}
