using System.Text;

namespace EventMail.Host.Moving.Export;

/// <summary>Texts as names of files.</summary>
internal static class FileName
{
    // Besides control characters: what separates folders, and what FAT, NTFS and SMB have not.
    private const string Refused = "/\\:*?\"<>|";

    // Names of devices there, whatever comes behind a dot.
    private static readonly HashSet<string> Devices = new(
        ["CON", "PRN", "AUX", "NUL", .. Enumerable.Range(0, 10).SelectMany(i => new[] { $"COM{i}", $"LPT{i}" })], StringComparer.OrdinalIgnoreCase);

    /// <summary>One that any file system holds; "_" takes the place of what it does not.</summary>
    /// <param name="octets">At most; what is longer is cut.</param>
    public static string Of(string text, int octets)
    {
        var name = new StringBuilder(text.Length);
        foreach (var c in text)
            name.Append(char.IsControl(c) || Refused.Contains(c, StringComparison.Ordinal) ? '_' : c);
        // "..", "." and hidden files begin with a dot.
        if (name[0] == '.')
            name[0] = '_';
        if (Devices.Contains(name.ToString().Split('.')[0].TrimEnd()))
            name.Insert(0, '_');
        var cut = Cut(name.ToString(), octets);
        // Windows takes dots and spaces at the end off.
        return cut[^1] is '.' or ' ' ? cut[..^1] + '_' : cut;
    }

    private static string Cut(string text, int octets)
    {
        var (length, chars) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if ((length += rune.Utf8SequenceLength) > octets)
                return text[..chars];
            chars += rune.Utf16SequenceLength;
        }
        return text;
    }
}
