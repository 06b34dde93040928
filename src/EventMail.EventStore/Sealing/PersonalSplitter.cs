using System.Text.Json;

namespace EventMail.EventStore;

/// <summary>
/// Takes the personal members out of an event's JSON. What says nothing (null, an empty string) stays where it is. Not thread-safe; used again
/// and again, it allocates nothing.
/// </summary>
internal sealed class PersonalSplitter
{
    private int _copied;

    /// <summary>The JSON with stand-ins, without its last brace: members may follow.</summary>
    public JsonOctets Rest { get; } = new();

    /// <summary>An object of what was taken out, in objects and arrays as it was in.</summary>
    public JsonOctets Taken { get; } = new();

    /// <param name="json">As <see cref="EventType.Write"/> makes it: an object without white space.</param>
    /// <returns>False: there is nothing to be sealed.</returns>
    public bool Split(ReadOnlySpan<byte> json, PersonalMembers members)
    {
        Rest.Clear();
        Taken.Clear();
        _copied = 0;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        if (!TakeFromObject(ref reader, json, members.Top))
            return false;
        Rest.Write(json[_copied..^1]);
        return true;
    }

    // From the beginning of an object to its end.
    private bool TakeFromObject(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, PersonalMembers.Level level)
    {
        Taken.Write("{"u8);
        var empty = Taken.Length;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = level.Find(ref reader);
            if (member is null)
            {
                reader.Skip();
                continue;
            }
            var before = Taken.Length;
            if (before > empty)
                Taken.Write(","u8);
            Taken.Write("\""u8);
            Taken.Write(member.Name);
            Taken.Write("\":"u8);
            reader.Read();
            if (!(member.Level is { } inner ? TakeFromValue(ref reader, json, inner) : Take(ref reader, json, member.StandIn)))
                Taken.CutBack(before);
        }
        Taken.Write("}"u8);
        return Taken.Length > empty + 1;
    }

    private bool TakeFromValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, PersonalMembers.Level level)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
            return TakeFromObject(ref reader, json, level);
        if (reader.TokenType != JsonTokenType.StartArray)
            return false;
        Taken.Write("["u8);
        var (first, some) = (true, false);
        // By their places: an element of which nothing is taken has an empty object in its place.
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!first)
                Taken.Write(","u8);
            first = false;
            if (reader.TokenType == JsonTokenType.StartObject)
                some |= TakeFromObject(ref reader, json, level);
            else
            {
                reader.Skip();
                Taken.Write("{}"u8);
            }
        }
        Taken.Write("]"u8);
        return some;
    }

    private bool Take(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ReadOnlySpan<byte> standIn)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        var value = json[start..(int)reader.BytesConsumed];
        if (value.SequenceEqual("null"u8) || value.SequenceEqual("\"\""u8) || value.SequenceEqual(standIn))
            return false;
        Taken.Write(value);
        Rest.Write(json[_copied..start]);
        Rest.Write(standIn);
        _copied = start + value.Length;
        return true;
    }
}
