namespace EventMail.Domain.Messages;

/// <summary>Byte comparisons and classes of RFC 5322 §3.2.3 and RFC 2045 §5.1.</summary>
internal static class Ascii
{
    [Flags]
    private enum Kind : byte
    {
        None = 0,
        Atext = 1,
        Token = 2,
        Space = 4,
    }

    private static readonly Kind[] Kinds = MakeKinds();

    // RFC 6532 §3.2: bytes above 127 (UTF-8, or unlabelled 8-bit text) are atext.
    public static bool IsAtext(byte b) => (Kinds[b] & Kind.Atext) != 0;

    /// <summary>RFC 2045 token characters, 8-bit bytes tolerated.</summary>
    public static bool IsToken(byte b) => (Kinds[b] & Kind.Token) != 0;

    /// <summary>SP, TAB, CR, LF: white space of folded text.</summary>
    public static bool IsSpace(byte b) => (Kinds[b] & Kind.Space) != 0;

    public static bool IsWsp(byte b) => b is (byte)' ' or (byte)'\t';

    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) =>
        a.Length == b.Length && System.Text.Ascii.EqualsIgnoreCase(a, b);

    public static bool StartsWithIgnoreCase(ReadOnlySpan<byte> text, ReadOnlySpan<byte> prefix) =>
        text.Length >= prefix.Length && System.Text.Ascii.EqualsIgnoreCase(text[..prefix.Length], prefix);

    private static Kind[] MakeKinds()
    {
        var kinds = new Kind[256];
        for (var i = 33; i < 256; i++)
        {
            if (i == 127)
                continue;
            if (!"()<>@,;:\\\".[]".Contains((char)i))
                kinds[i] |= Kind.Atext;
            if (!"()<>@,;:\\\"/[]?=".Contains((char)i))
                kinds[i] |= Kind.Token;
        }
        foreach (var space in " \t\r\n")
            kinds[space] |= Kind.Space;
        return kinds;
    }
}
