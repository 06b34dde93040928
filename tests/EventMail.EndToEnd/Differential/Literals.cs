using System.Globalization;
using System.Text;

namespace EventMail.EndToEnd.Differential;

/// <summary>Announcements of literals (RFC 3501 §4.3, RFC 3516 §4.5).</summary>
internal static class Literals
{
    /// <summary>Whether a line ends in <c>{n}</c>.</summary>
    public static bool TryEnd(ReadOnlySpan<byte> line, out int size)
    {
        size = 0;
        var brace = line.LastIndexOf((byte)'{');
        return brace >= 0 && line[^1] == '}' && int.TryParse(Encoding.Latin1.GetString(line[(brace + 1)..^1]), NumberStyles.None, CultureInfo.InvariantCulture, out size);
    }

    /// <summary>A text, octets as in Latin-1, as a literal that waits for nothing (RFC 7888).</summary>
    public static string Of(string text) => string.Create(CultureInfo.InvariantCulture, $"{{{text.Length}+}}\r\n{text}");
}
