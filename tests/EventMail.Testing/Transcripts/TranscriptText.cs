using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.Testing.Transcripts;

/// <summary>The {name} and \xHH of a transcript's text.</summary>
internal static partial class TranscriptText
{
    /// <summary>Puts captures and variables in; an unknown name stays, since IMAP and regular expressions use braces too.</summary>
    public static string Fill(string text, IReadOnlyDictionary<string, string> values, Func<string, string>? quote = null)
    {
        var filled = NamePattern().Replace(text, match =>
            values.TryGetValue(match.Groups["name"].Value, out var value) ? quote is null ? value : quote(value) : match.Value);
        return Base64Pattern().Replace(filled, match => Convert.ToBase64String(Unescape(match.Groups["text"].Value)));
    }

    public static byte[] Unescape(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                var run = text.IndexOf('\\', i) is var next and >= 0 ? text[i..next] : text[i..];
                bytes.AddRange(Encoding.UTF8.GetBytes(run));
                i += run.Length - 1;
                continue;
            }

            i++;
            var escape = i < text.Length ? text[i] : throw new FormatException($"a lone backslash ends: {text}");
            if (escape == 'x')
            {
                bytes.Add(byte.Parse(text.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                i += 2;
                continue;
            }

            bytes.Add(escape switch
            {
                'r' => (byte)'\r',
                'n' => (byte)'\n',
                't' => (byte)'\t',
                '0' => 0,
                '\\' => (byte)'\\',
                _ => throw new FormatException($"unknown escape \\{escape} in: {text}"),
            });
        }

        return [.. bytes];
    }

    [GeneratedRegex(@"\{(?<name>[A-Za-z][A-Za-z0-9_]*)\}")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\{b64:(?<text>[^}]*)\}")]
    private static partial Regex Base64Pattern();
}
