using System.Text.Json;
using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// What a mailbox's state is made of, of the events that most of the log is, read token by token. A slice gives up (null) at whatever it does
/// not know: a member that is missing, of another name or of another kind.
/// </summary>
internal static class MailboxEventSlices
{
    [Flags]
    private enum Members
    {
        None = 0,
        Uid = 1,
        Content = 2,
        InternalDate = 4,
        Flags = 8,
        Message = Uid | Content | InternalDate | Flags,
    }

    public static object? MessageReceived(ReadOnlySpan<byte> json) => Message(json) is var (uid, content, date, flags)
        ? new MessageReceived(uid, content, date, "", "", null, flags)
        : null;

    public static object? MessageAppended(ReadOnlySpan<byte> json) => Message(json) is var (uid, content, date, flags)
        ? new MessageAppended(uid, content, date, flags, null)
        : null;

    private static (uint Uid, ContentRef Content, DateTimeOffset Date, string[] Flags)? Message(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!Begins(ref reader))
            return null;
        var (uid, content, date, flags, found) = (0u, default(ContentRef), default(DateTimeOffset), Array.Empty<string>(), Members.None);
        while (TryMember(ref reader, out var name))
        {
            if (name.SequenceEqual("Uid"u8) && reader.TokenType == JsonTokenType.Number && reader.TryGetUInt32(out uid))
                found |= Members.Uid;
            else if (name.SequenceEqual("Content"u8) && TryContent(ref reader, out content))
                found |= Members.Content;
            else if (name.SequenceEqual("InternalDate"u8) && reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out date))
                found |= Members.InternalDate;
            else if (name.SequenceEqual("Flags"u8) && TryTexts(ref reader, out flags))
                found |= Members.Flags;
            else if (!IsText(name, reader.TokenType) && !(IsWhole(name) && reader.TrySkip()))
                return null;
        }
        return found == Members.Message && reader.TokenType == JsonTokenType.EndObject ? (uid, content!, date, flags) : null;
    }

    // Texts of whom a message is from and to are nothing to a state; what is said of a message as a whole neither.
    private static bool IsText(ReadOnlySpan<byte> name, JsonTokenType token) =>
        token is JsonTokenType.String or JsonTokenType.Null
        && (name.SequenceEqual("MessageId"u8) || name.SequenceEqual("Recipient"u8) || name.SequenceEqual("ReversePath"u8));

    private static bool IsWhole(ReadOnlySpan<byte> name) => name.SequenceEqual("Authentication"u8) || name.SequenceEqual("Verdicts"u8);

    private static bool TryContent(ref Utf8JsonReader reader, out ContentRef? content)
    {
        content = null;
        if (reader.TokenType != JsonTokenType.StartObject)
            return false;
        long? number = null, size = null;
        while (TryMember(ref reader, out var name))
        {
            if (name.SequenceEqual("Number"u8) && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var value))
                number = value;
            else if (name.SequenceEqual("Size"u8) && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out value))
                size = value;
            else if (!name.SequenceEqual("Sha256"u8) || reader.TokenType != JsonTokenType.String)
                return false;
        }
        if (number is null || size is null)
            return false;
        content = new(number.Value, "", size.Value);
        return true;
    }

    public static object? FlagsChanged(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!Begins(ref reader) || !TryMember(ref reader, out var name) || !name.SequenceEqual("Changes"u8) || reader.TokenType != JsonTokenType.StartArray)
            return null;
        var changes = new List<FlagChange>(1);
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            string? flag = null, added = null, removed = null;
            while (TryMember(ref reader, out name) && reader.TokenType == JsonTokenType.String)
            {
                if (name.SequenceEqual("Flag"u8))
                    flag = FlagName(ref reader);
                else if (name.SequenceEqual("Added"u8))
                    added = reader.GetString();
                else if (name.SequenceEqual("Removed"u8))
                    removed = reader.GetString();
                else
                    return null;
            }
            if (flag is null || added is null || removed is null || reader.TokenType != JsonTokenType.EndObject)
                return null;
            changes.Add(new(flag, added, removed));
        }
        return reader.TokenType == JsonTokenType.EndArray && Ends(ref reader) ? new FlagsChanged([.. changes]) : null;
    }

    public static object? MessagesExpunged(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!Begins(ref reader))
            return null;
        string? uids = null;
        long? bytes = null;
        int? unseen = null;
        while (TryMember(ref reader, out var name))
        {
            if (name.SequenceEqual("Uids"u8) && reader.TokenType == JsonTokenType.String)
                uids = reader.GetString();
            else if (name.SequenceEqual("Bytes"u8) && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var sum))
                bytes = sum;
            else if (name.SequenceEqual("Unseen"u8) && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var count))
                unseen = count;
            else if (!name.SequenceEqual("MovedTo"u8) || reader.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
                return null;
        }
        return uids is not null && bytes is not null && unseen is not null && reader.TokenType == JsonTokenType.EndObject
            ? new MessagesExpunged(uids, bytes.Value, unseen.Value, null)
            : null;
    }

    private static bool Begins(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.StartObject;

    private static bool Ends(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.EndObject;

    // The reader stands on the value then. jsonb has each name once, and ours are never escaped.
    private static bool TryMember(ref Utf8JsonReader reader, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName)
            return false;
        name = reader.ValueSpan;
        return reader.Read();
    }

    private static bool TryTexts(ref Utf8JsonReader reader, out string[] texts)
    {
        texts = [];
        if (reader.TokenType != JsonTokenType.StartArray)
            return false;
        List<string>? found = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
            (found ??= []).Add(FlagName(ref reader));
        if (found is not null)
            texts = [.. found];
        return reader.TokenType == JsonTokenType.EndArray;
    }

    // The five that come again and again are one string each.
    private static string FlagName(ref Utf8JsonReader reader)
    {
        foreach (var flag in SystemFlags.Names)
        {
            if (reader.ValueTextEquals(flag))
                return flag;
        }
        return reader.GetString()!;
    }
}
