using System.Buffers.Binary;
using System.Text;

namespace EventMail.EventStore.Proof;

/// <summary>A signature line: whose, and the signature itself.</summary>
public sealed record NoteSignature(string Name, uint KeyId, byte[] Signature);

/// <summary>
/// A text with signatures under it (C2SP signed-note): the text, which ends in a line feed, an empty line, then for each signature a
/// line `— name base64` with the key's hash (4 octets) and the signature.
/// </summary>
/// <param name="Text">With its last line feed.</param>
public sealed record SignedNote(string Text, IReadOnlyList<NoteSignature> Signatures)
{
    /// <summary>In characters: a longer one is refused unread.</summary>
    public const int MaxLength = 64 * 1024;

    public const int MaxSignatures = 100;

    // An em dash and a space.
    internal const string SignatureStart = "— ";

    /// <exception cref="FormatException">It is no signed note; says what is wrong.</exception>
    public static SignedNote Parse(string note)
    {
        if (note.Length > MaxLength)
            throw new FormatException($"a signed note has at most {MaxLength} characters");
        var end = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (end < 0 || note[^1] != '\n' || end + 2 == note.Length)
            throw new FormatException("this is no signed note: a text, an empty line, and signature lines, each with a line feed at its end");
        var text = note[..(end + 1)];
        RequireText(text);
        var lines = note[(end + 2)..^1].Split('\n');
        return lines.Length <= MaxSignatures
            ? new(text, [.. lines.Select(ParseSignature)])
            : throw new FormatException($"a signed note has at most {MaxSignatures} signatures");
    }

    /// <summary>The key has signed it, and no signature that says so is false. Those of others count neither for nor against it.</summary>
    public bool IsSignedBy(NoteKey key)
    {
        var octets = Encoding.UTF8.GetBytes(Text);
        var ours = Signatures.Where(s => s.Name == key.Name && s.KeyId == key.Id).ToList();
        return ours.Count > 0 && ours.TrueForAll(s => key.Verifies(octets, s.Signature));
    }

    public override string ToString()
    {
        var note = new StringBuilder(Text).Append('\n');
        Span<byte> id = stackalloc byte[4];
        foreach (var signature in Signatures)
        {
            BinaryPrimitives.WriteUInt32BigEndian(id, signature.KeyId);
            note.Append(SignatureStart).Append(signature.Name).Append(' ').Append(Convert.ToBase64String([.. id, .. signature.Signature])).Append('\n');
        }
        return note.ToString();
    }

    internal static void RequireText(string text)
    {
        if (text.Length == 0 || text[^1] != '\n' || text.Any(c => c < ' ' && c != '\n'))
            throw new FormatException("the text of a signed note ends in a line feed and has no other control characters");
    }

    private static NoteSignature ParseSignature(string line)
    {
        var words = line.StartsWith(SignatureStart, StringComparison.Ordinal) ? line[SignatureStart.Length..].Split(' ') : [];
        return words.Length == 2 && NoteKey.IsName(words[0]) && Base64.TryDecode(words[1]) is { Length: > 4 } octets
            ? new(words[0], BinaryPrimitives.ReadUInt32BigEndian(octets), octets[4..])
            : throw new FormatException("a signature line is `— name base64`");
    }
}
