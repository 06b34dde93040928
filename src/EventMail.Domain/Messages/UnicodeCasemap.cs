using System.Buffers;
using System.Globalization;
using System.Text;

namespace EventMail.Domain.Messages;

/// <summary>
/// The preparation of i;unicode-casemap (RFC 5051 §2): each character becomes its titlecase form, and that its full decomposition.
/// Prepared texts are compared octet by octet: equal, contained, in order. Thread-safe.
/// </summary>
public static class UnicodeCasemap
{
    private const string Resource = "EventMail.Domain.Messages.casemap.txt";

    // Of a character of the basic plane: what it becomes, or 0 when that is more than one character.
    private static readonly char[] Single;
    private static readonly Dictionary<int, string> Longer;

    static UnicodeCasemap() => (Single, Longer) = Load();

    public static string Prepare(string text)
    {
        var first = text.AsSpan().IndexOfAnyExcept(Unchanged);
        if (first < 0)
            return text;
        var output = new ArrayBufferWriter<char>(text.Length + 16);
        Prepare(text, output);
        return output.WrittenSpan.ToString();
    }

    /// <summary>Appends the prepared text. A surrogate without its other half stays as it is.</summary>
    public static void Prepare(ReadOnlySpan<char> text, ArrayBufferWriter<char> output)
    {
        while (!text.IsEmpty)
        {
            var room = output.GetSpan(text.Length);
            var length = 0;
            while (length < text.Length && Single[text[length]] is > '\0' and var prepared)
                room[length++] = prepared;
            output.Advance(length);
            text = text[length..];
            if (text.IsEmpty)
                break;
            Rune.DecodeFromUtf16(text, out var rune, out var consumed);
            if (consumed == 1 && char.IsSurrogate(text[0]))
                output.Write(text[..1]);
            else
                output.Write(Longer.TryGetValue(rune.Value, out var longer) ? longer : text[..consumed]);
            text = text[consumed..];
        }
    }

    // What ASCII text stays as it is.
    private static readonly SearchValues<char> Unchanged =
        SearchValues.Create([.. Enumerable.Range(1, 0x7F).Select(c => (char)c).Where(c => c is < 'a' or > 'z')]);

    private static (char[], Dictionary<int, string>) Load()
    {
        var single = new char[0x10000];
        for (var c = 0; c < single.Length; c++)
            single[c] = char.IsSurrogate((char)c) ? '\0' : char.IsAsciiLetterLower((char)c) ? (char)(c - 32) : (char)c;
        var longer = new Dictionary<int, string> { [0] = "\0" };
        using var reader = new StreamReader(typeof(UnicodeCasemap).Assembly.GetManifestResourceStream(Resource)!, Encoding.ASCII);
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            foreach (var item in line.Split(' '))
            {
                var (from, to) = Parse(item);
                if (from < single.Length && to.Length == 1)
                {
                    single[from] = to[0];
                    continue;
                }

                if (from < single.Length)
                    single[from] = '\0';
                longer[from] = to;
            }
        }

        return (single, longer);
    }

    // "1C4=44+7A+30C"
    private static (int From, string To) Parse(string item)
    {
        var equals = item.IndexOf('=', StringComparison.Ordinal);
        var to = string.Concat(item[(equals + 1)..].Split('+').Select(part => char.ConvertFromUtf32(Hex(part))));
        return (Hex(item[..equals]), to);
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}
