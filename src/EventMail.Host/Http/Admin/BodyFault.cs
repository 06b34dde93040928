using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EventMail.Host.Http.Admin;

/// <summary>What is wrong with a body that the serializer refused, in words for who sent it: its own are about our types.</summary>
internal static class BodyFault
{
    public static string In(ReadOnlyMemory<byte> octets, JsonTypeInfo type, JsonException error)
    {
        try
        {
            using var json = JsonDocument.Parse(octets, new() { MaxDepth = ApiJson.MaxDepth, AllowDuplicateProperties = false });
            return json.RootElement.ValueKind == JsonValueKind.Object
                ? In(json.RootElement, type, error)
                : "It is to be an object";
        }
        catch (JsonException broken)
        {
            // Of the text, not of our types.
            return broken.Message;
        }
    }

    private static string In(JsonElement body, JsonTypeInfo type, JsonException error)
    {
        if (body.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => type.Properties.All(known => known.Name != name)) is { } unknown)
            return $"{unknown} is none of its members: {string.Join(", ", type.Properties.Select(known => known.Name))}";
        if (type.Properties.FirstOrDefault(known => known.IsRequired && !body.TryGetProperty(known.Name, out _)) is { } missing)
            return $"{missing.Name} is missing: {KindOf(missing.PropertyType)}";
        // $.names[0]
        var name = error.Path?.Split('.', '[').ElementAtOrDefault(1);
        return type.Properties.FirstOrDefault(known => known.Name == name) is { } wrong
            ? $"{wrong.Name} is {KindOf(wrong.PropertyType)}"
            : "A member is not of its type";
    }

    private static string KindOf(Type type) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var text when text == typeof(string) => "a text",
        var flag when flag == typeof(bool) => "true or false",
        var number when number == typeof(int) => "a whole number of at most 32 bits",
        var number when number == typeof(long) => "a whole number",
        var day when day == typeof(DateOnly) => "a date such as 2026-11-01",
        var list when list.IsAssignableTo(typeof(IEnumerable<string>)) => "a list of texts",
        var other => other.Name,
    };
}
