namespace EventMail.EventStore;

/// <summary>
/// The order of member names (RFC 8785 section 3.2.3): by UTF-16 code units. The names are UTF-8 with the canonical escapes, each of which
/// stands for one octet.
/// </summary>
internal static class Utf16Order
{
    public static int Compare(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        if (x.Contains((byte)'\\') || y.Contains((byte)'\\'))
            return CompareEscaped(x, y);
        var same = x.CommonPrefixLength(y);
        return same == x.Length || same == y.Length ? x.Length - y.Length : Weight(x[same]) - Weight(y[same]);
    }

    private static int CompareEscaped(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        while (!x.IsEmpty && !y.IsEmpty)
        {
            var order = Weight(Next(ref x)) - Weight(Next(ref y));
            if (order != 0)
                return order;
        }
        return x.Length - y.Length;
    }

    // UTF-8 sorts by code points. UTF-16 has those above U+FFFF (from F0) as surrogates D800 to DFFF, before U+E000 to U+FFFF (EE, EF).
    private static int Weight(byte octet) => octet is 0xEE or 0xEF ? octet + 0x10 : octet;

    private static byte Next(ref ReadOnlySpan<byte> name)
    {
        if (name[0] != '\\')
        {
            var octet = name[0];
            name = name[1..];
            return octet;
        }
        var letter = name[1];
        if (letter == 'u')
        {
            var control = (byte)((name[4] - '0') * 16 + (name[5] <= '9' ? name[5] - '0' : name[5] - 'a' + 10));
            name = name[6..];
            return control;
        }
        name = name[2..];
        return letter switch
        {
            (byte)'b' => (byte)'\b',
            (byte)'t' => (byte)'\t',
            (byte)'n' => (byte)'\n',
            (byte)'f' => (byte)'\f',
            (byte)'r' => (byte)'\r',
            _ => letter,
        };
    }
}
