using System.Buffers;
using System.Buffers.Text;

namespace EventMail.EventStore;

/// <summary>Boxes as text, in JSON: base64.</summary>
internal static class SealedText
{
    /// <summary>Seals and writes it.</summary>
    public static void Write(ReadOnlySpan<byte> plain, SubjectKey key, ReadOnlySpan<byte> purpose, JsonOctets to)
    {
        var length = plain.Length + SubjectKey.Overhead;
        // Encoded where it is sealed: the text is longer than the box.
        var room = to.Room(Base64.GetMaxEncodedToUtf8Length(length));
        key.Seal(plain, purpose, room[..length]);
        Base64.EncodeToUtf8InPlace(room, length, out var written);
        to.Take(written);
    }

    /// <summary>What is in the box. Null: the key that made it is gone.</summary>
    /// <exception cref="FormatException">It is damaged, or was made for another purpose.</exception>
    public static byte[]? Open(ReadOnlySpan<byte> text, SubjectKey? key, ReadOnlySpan<byte> purpose)
    {
        if (key is null)
            return null;
        var box = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        if (Base64.DecodeFromUtf8(text, box, out _, out var length) != OperationStatus.Done || length < SubjectKey.Overhead)
            throw new FormatException("what is sealed of it is damaged");
        if (!key.Made(box))
            return null;
        var plain = new byte[length - SubjectKey.Overhead];
        return key.TryOpen(box.AsSpan(0, length), purpose, plain)
            ? plain
            : throw new FormatException("what is sealed of it is damaged, or another event's");
    }

    /// <summary>The text of a member, where an object of ours has it at all.</summary>
    /// <param name="name">With its quotation marks and its colon: within a string the second mark would have a backslash before it.</param>
    public static Range? Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        var at = json.IndexOf(name);
        if (at < 0)
            return null;
        at += name.Length;
        while (at < json.Length && json[at] == (byte)' ')
            at++;
        if (at == json.Length || json[at] != (byte)'"')
            return null;
        var length = json[++at..].IndexOf((byte)'"');
        return length < 0 ? null : at..(at + length);
    }
}
