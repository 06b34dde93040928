using System.Globalization;
using System.Text;

namespace EventMail.EndToEnd.Differential;

/// <summary>
/// A value of a response: an atom (with what stands in its brackets), a string of whichever form, or a list. Octets are kept as Latin-1.
/// </summary>
internal sealed class ImapValue
{
    private ImapValue(string text, bool isString, IReadOnlyList<ImapValue>? items) => (Text, IsString, Items) = (text, isString, items);

    public string Text { get; }
    public bool IsString { get; }
    public IReadOnlyList<ImapValue>? Items { get; }

    public bool IsNil => !IsString && Items is null && Text.Equals("NIL", StringComparison.OrdinalIgnoreCase);

    public static ImapValue Atom(string text) => new(text, false, null);

    public static ImapValue String(string text) => new(text, true, null);

    public static ImapValue List(IEnumerable<ImapValue> items) => new("", false, [.. items]);

    /// <summary>In one form: a quoted string and a literal of the same octets are the same.</summary>
    public override string ToString() =>
        Items is not null ? $"({string.Join(' ', Items)})" : IsString ? $"\"{Escape(Text)}\"" : Text;

    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            _ = c switch
            {
                '\r' => escaped.Append("\\r"),
                '\n' => escaped.Append("\\n"),
                '"' or '\\' => escaped.Append('\\').Append(c),
                < ' ' or > '~' => escaped.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}"),
                _ => escaped.Append(c),
            };
        }

        return escaped.ToString();
    }

    /// <summary>The values of a response, or of the text of a response code.</summary>
    public static List<ImapValue> Parse(ReadOnlySpan<byte> response)
    {
        var position = 0;
        var values = Values(response, ref position);
        return position == response.Length ? values : throw new FormatException($"not a response, from {position}: {Encoding.Latin1.GetString(response)}");
    }

    private static List<ImapValue> Values(ReadOnlySpan<byte> text, ref int position)
    {
        var values = new List<ImapValue>();
        while (position < text.Length && text[position] != ')')
        {
            switch (text[position])
            {
                case (byte)' ':
                    position++;
                    break;
                case (byte)'(':
                    position++;
                    values.Add(List(Values(text, ref position)));
                    if (position == text.Length)
                    {
                        throw new FormatException("a list has no end: " + Encoding.Latin1.GetString(text));
                    }

                    position++;
                    break;
                case (byte)'"':
                    values.Add(Quoted(text, ref position));
                    break;
                case (byte)'{' or (byte)'~' when text[position..].IndexOf((byte)'\r') is var end and > 0 && Literals.TryEnd(text.Slice(position, end), out var size):
                    values.Add(String(Encoding.Latin1.GetString(text.Slice(position + end + 2, size))));
                    position += end + 2 + size;
                    break;
                default:
                    values.Add(Atom(text, ref position));
                    break;
            }
        }

        return values;
    }

    private static ImapValue Quoted(ReadOnlySpan<byte> text, ref int position)
    {
        var value = new StringBuilder();
        for (position++; text[position] != '"'; position++)
        {
            if (text[position] == '\\')
            {
                position++;
            }

            value.Append((char)text[position]);
        }

        position++;
        return String(value.ToString());
    }

    // BODY[HEADER.FIELDS (FROM)]<0> is one.
    private static ImapValue Atom(ReadOnlySpan<byte> text, ref int position)
    {
        var start = position;
        var depth = 0;
        for (; position < text.Length && (depth > 0 || text[position] is not ((byte)' ' or (byte)'(' or (byte)')')); position++)
        {
            depth += text[position] switch { (byte)'[' => 1, (byte)']' => -1, _ => 0 };
        }

        return Atom(Encoding.Latin1.GetString(text[start..position]));
    }
}
