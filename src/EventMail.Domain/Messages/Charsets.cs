using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>Character sets of mail, by the names that mail gives them.</summary>
public static class Charsets
{
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.OrdinalIgnoreCase)
    {
        // RFC 2046 §4.1.2: unlabelled 8-bit in us-ascii text is shown rather than dropped.
        ["us-ascii"] = "utf-8",
        ["ascii"] = "utf-8",
        ["ansi_x3.4-1968"] = "utf-8",
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

    static Charsets() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>
    /// Decodes text whose charset is named by <paramref name="name"/>. Invalid sequences become U+FFFD. An unknown or
    /// refused charset (UTF-7, whose escapes can hide text from every check) and an empty name decode as UTF-8 where
    /// that is valid, else as Latin-1.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> name, ReadOnlySpan<byte> text) =>
        Find(name) is { } encoding ? encoding.GetString(text) : DecodeUtf8OrLatin1(text);

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
        if (name.StartsWith("cp", StringComparison.OrdinalIgnoreCase))
            name = PageNumber(name.AsSpan(2), name);
        else if (name.StartsWith("windows", StringComparison.OrdinalIgnoreCase))
            name = "windows-" + name.AsSpan(7).TrimStart("-_").ToString();
        if (name.Contains("utf-7", StringComparison.OrdinalIgnoreCase) || name.Contains("utf7", StringComparison.OrdinalIgnoreCase))
            return null;
        try
        {
            return int.TryParse(name, out var page) ? KnownPage(page) : Encoding.GetEncoding(name);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>UTF-8 when the bytes are valid UTF-8, else Latin-1, which cannot fail.</summary>
    public static string DecodeUtf8OrLatin1(ReadOnlySpan<byte> text) =>
        System.Text.Unicode.Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : Encoding.Latin1.GetString(text);

    // 65000 is UTF-7.
    private static Encoding? KnownPage(int page) => page is > 0 and not 65000 ? Encoding.GetEncoding(page) : null;

    private static string PageNumber(ReadOnlySpan<char> digits, string name)
    {
        digits = digits.TrimStart("-_");
        return int.TryParse(digits, out _) ? digits.ToString() : name;
    }
}
