using System.Collections.Frozen;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>Character sets of mail, by the names that mail gives them.</summary>
public static class Charsets
{
    private const string UsAscii = "us-ascii";

    /// <summary>
    /// UTF-8 in which each byte that is not UTF-8 stands for its Latin-1 character: for text without a usable label,
    /// which is nearly always one of the two. Works on pieces, as every encoding.
    /// </summary>
    public static Encoding Utf8OrLatin1 { get; } =
        Encoding.GetEncoding("utf-8", EncoderFallback.ReplacementFallback, new Latin1Fallback());

    private static readonly Dictionary<string, string> Aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        ["ascii"] = UsAscii,
        ["ansi_x3.4-1968"] = UsAscii,
        ["iso646-us"] = UsAscii,
        ["utf8"] = "utf-8",
        ["unicode-1-1-utf-8"] = "utf-8",
        ["ks_c_5601-1987"] = "ks_c_5601-1987",
        ["ksc5601"] = "ks_c_5601-1987",
        ["ks_c_5601"] = "ks_c_5601-1987",
        ["cp949"] = "ks_c_5601-1987",
        ["uhc"] = "ks_c_5601-1987",
        ["x-sjis"] = "shift_jis",
        ["sjis"] = "shift_jis",
        ["cp932"] = "shift_jis",
        ["windows-31j"] = "shift_jis",
        ["ms_kanji"] = "shift_jis",
        ["x-euc-jp"] = "euc-jp",
        ["gb2312"] = "gb18030",
        ["gbk"] = "gb18030",
        ["x-gbk"] = "gb18030",
        ["cp936"] = "gb18030",
        ["big5-hkscs"] = "big5",
        ["cp950"] = "big5",
        ["latin1"] = "iso-8859-1",
        ["iso8859-1"] = "iso-8859-1",
        ["iso-8859-8-i"] = "iso-8859-8",
        ["iso-8859-8-e"] = "iso-8859-8",
        // Named so by most senders, but they mean the superset.
        ["iso-8859-1"] = "windows-1252",
        ["tis-620"] = "windows-874",
        ["iso-8859-11"] = "windows-874",
        ["koi8r"] = "koi8-r",
        ["koi8"] = "koi8-r",
        ["macroman"] = "macintosh",
        ["x-mac-roman"] = "macintosh",
    };

    // The runtime's own; all others are CodePagesEncodingProvider's, which answers null for what it does not know. Encoding.GetEncoding
    // throws instead, and a hostile header names an unknown charset in every word.
    private static readonly FrozenDictionary<string, Encoding> BuiltIn = MakeBuiltIn();

    private static FrozenDictionary<string, Encoding> MakeBuiltIn()
    {
        (int Page, string[] Names)[] table =
        [
            (1200, ["utf-16", "utf-16le", "ucs-2", "iso-10646-ucs-2", "unicode"]),
            (1201, ["utf-16be", "unicodefffe"]),
            (12000, ["utf-32", "utf-32le"]),
            (12001, ["utf-32be"]),
            (20127, ["us-ascii", "ascii", "us", "ansi_x3.4-1968", "ansi_x3.4-1986", "cp367", "ibm367", "csascii", "iso-ir-6", "iso646-us", "iso_646.irv:1991"]),
            (28591, ["iso-8859-1", "iso8859-1", "iso_8859-1", "iso_8859-1:1987", "iso-ir-100", "latin1", "l1", "cp819", "ibm819", "csisolatin1"]),
            (65001, ["utf-8", "unicode-1-1-utf-8", "unicode-2-0-utf-8", "x-unicode-1-1-utf-8", "x-unicode-2-0-utf-8"]),
        ];
        var names = new Dictionary<string, Encoding>(StringComparer.OrdinalIgnoreCase);
        foreach (var (page, aliases) in table)
        {
            var encoding = Encoding.GetEncoding(page);
            names[page.ToString(System.Globalization.CultureInfo.InvariantCulture)] = encoding;
            foreach (var alias in aliases)
                names[alias] = encoding;
        }
        return names.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>
    /// Decodes text whose charset is named by <paramref name="name"/>. Invalid sequences become U+FFFD. An unknown or
    /// refused charset (UTF-7, whose escapes can hide text from every check) and an empty name decode as
    /// <see cref="Utf8OrLatin1"/>.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> name, ReadOnlySpan<byte> text) =>
        (Find(name) ?? Utf8OrLatin1).GetString(text);

    /// <summary>Null: unknown or refused.</summary>
    public static Encoding? Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.Length > 40)
            return null;
        if (Ascii.EqualsIgnoreCase(name, "utf-8"u8))
            return Encoding.UTF8;
        return Find(Encoding.Latin1.GetString(name));
    }

    /// <inheritdoc cref="Find(ReadOnlySpan{byte})"/>
    public static Encoding? Find(string name)
    {
        name = name.Trim();
        for (var hops = 0; hops < 2 && Aliases.TryGetValue(name, out var alias); hops++)
            name = alias;
        var named = name;
        if (name.StartsWith("cp", StringComparison.OrdinalIgnoreCase))
            name = PageNumber(name.AsSpan(2), name);
        else if (name.StartsWith("windows", StringComparison.OrdinalIgnoreCase))
            name = "windows-" + name.AsSpan(7).TrimStart("-_").ToString();
        if (name.Contains("utf-7", StringComparison.OrdinalIgnoreCase) || name.Contains("utf7", StringComparison.OrdinalIgnoreCase))
            return null;
        // RFC 2046 §4.1.2: 8-bit text that claims to be us-ascii is shown rather than dropped.
        if (name.Equals(UsAscii, StringComparison.OrdinalIgnoreCase))
            return Utf8OrLatin1;
        if (BuiltIn.TryGetValue(name, out var builtIn))
            return builtIn;
        if (!int.TryParse(name, out var page))
            return CodePagesEncodingProvider.Instance.GetEncoding(name);
        if (page <= 0)
            return null;
        // cp1025 is no code page 1025.
        return CodePagesEncodingProvider.Instance.GetEncoding(page) ?? CodePagesEncodingProvider.Instance.GetEncoding(named);
    }

    public static string DecodeUtf8OrLatin1(ReadOnlySpan<byte> text) => Utf8OrLatin1.GetString(text);

    private static string PageNumber(ReadOnlySpan<char> digits, string name)
    {
        digits = digits.TrimStart("-_");
        return int.TryParse(digits, out _) ? digits.ToString() : name;
    }

    private sealed class Latin1Fallback : DecoderFallback
    {
        // The longest invalid run that UTF-8 reports at once.
        public override int MaxCharCount => 4;

        public override DecoderFallbackBuffer CreateFallbackBuffer() => new Buffer();

        private sealed class Buffer : DecoderFallbackBuffer
        {
            private byte[] _bytes = [];
            private int _at;

            public override int Remaining => _bytes.Length - _at;

            public override bool Fallback(byte[] bytesUnknown, int index)
            {
                _bytes = bytesUnknown.ToArray();
                _at = 0;
                return _bytes.Length > 0;
            }

            public override char GetNextChar() => _at < _bytes.Length ? (char)_bytes[_at++] : '\0';

            public override bool MovePrevious()
            {
                if (_at == 0)
                    return false;
                _at--;
                return true;
            }

            public override void Reset()
            {
                _bytes = [];
                _at = 0;
            }
        }
    }
}
