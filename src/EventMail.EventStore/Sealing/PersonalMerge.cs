using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>Puts what <see cref="PersonalSplitter"/> took out of an event's JSON back into it.</summary>
internal static class PersonalMerge
{
    /// <param name="json">An event as it is stored, in whatever order and with whatever white space.</param>
    /// <param name="taken">An object without white space.</param>
    public static byte[] Merge(ReadOnlySpan<byte> json, ReadOnlySpan<byte> taken)
    {
        var merged = new JsonOctets();
        merged.Room(json.Length + taken.Length);
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var copied = 0;
        Object(ref reader, json, taken, merged, ref copied);
        merged.Write(json[copied..]);
        return merged.Written.ToArray();
    }

    // Each from the beginning of a value to its end.
    private static void Object(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ReadOnlySpan<byte> taken, JsonOctets to, ref int copied)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (Find(taken, reader.ValueSpan) is { } value)
            {
                reader.Read();
                Value(ref reader, json, taken[value], to, ref copied);
            }
            else
                reader.Skip();
        }
    }

    private static void Value(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ReadOnlySpan<byte> taken, JsonOctets to, ref int copied)
    {
        if (reader.TokenType == JsonTokenType.StartObject && taken[0] == (byte)'{')
        {
            Object(ref reader, json, taken, to, ref copied);
            return;
        }
        var start = (int)reader.TokenStartIndex;
        if (reader.TokenType == JsonTokenType.StartArray && taken[0] == (byte)'[' && !IsEmptyArray(reader))
        {
            Elements(ref reader, json, taken, to, ref copied);
            return;
        }
        reader.Skip();
        to.Write(json[copied..start]);
        to.Write(taken);
        copied = (int)reader.BytesConsumed;
    }

    private static void Elements(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ReadOnlySpan<byte> taken, JsonOctets to, ref int copied)
    {
        var parts = new Utf8JsonReader(taken);
        parts.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (parts.Read() && parts.TokenType == JsonTokenType.StartObject)
            {
                var start = (int)parts.TokenStartIndex;
                parts.Skip();
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    Object(ref reader, json, taken[start..(int)parts.BytesConsumed], to, ref copied);
                    continue;
                }
            }
            reader.Skip();
        }
    }

    // A copy of the reader looks ahead.
    private static bool IsEmptyArray(Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.EndArray;

    // Names of members are written without escapes.
    private static Range? Find(ReadOnlySpan<byte> taken, ReadOnlySpan<byte> name)
    {
        var members = new Utf8JsonReader(taken);
        members.Read();
        while (members.Read() && members.TokenType == JsonTokenType.PropertyName)
        {
            var found = name.SequenceEqual(members.ValueSpan);
            members.Read();
            var start = (int)members.TokenStartIndex;
            members.Skip();
            if (found)
                return start..(int)members.BytesConsumed;
        }
        return null;
    }
}
