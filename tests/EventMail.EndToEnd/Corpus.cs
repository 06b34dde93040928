using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.EndToEnd;

/// <summary>
/// Real messages from a folder outside the repository: EVENTMAIL_CORPUS, else ../shared/corpus beside the repository or above it.
/// Each message of a file in mbox counts by itself.
/// </summary>
internal static partial class Corpus
{
    public static readonly string? Folder = FindFolder();

    /// <summary>By name; as they lie in the files, most of them with LF.</summary>
    public static IReadOnlyDictionary<string, byte[]> Messages { get; } = Folder is null ? new SortedDictionary<string, byte[]>() : Load(Folder);

    /// <summary>As a mail client sends it: each line ends in CRLF, also the last.</summary>
    public static byte[] AsSent(byte[] message)
    {
        var text = Encoding.Latin1.GetString(message).Replace("\r\n", "\n").Replace("\n", "\r\n");
        return Encoding.Latin1.GetBytes(text.EndsWith("\r\n", StringComparison.Ordinal) ? text : text + "\r\n");
    }

    private static SortedDictionary<string, byte[]> Load(string folder)
    {
        var messages = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(Path.Combine(folder, "messages")))
        {
            messages[Path.GetFileName(file)] = File.ReadAllBytes(file);
        }

        foreach (var file in Directory.GetFiles(Path.Combine(folder, "mbox")))
        {
            // What stands before the first separator is a message, too.
            var pieces = Separator().Split(Encoding.Latin1.GetString(File.ReadAllBytes(file)));
            for (var i = 0; i < pieces.Length; i++)
            {
                if (pieces[i].Length > 0)
                {
                    messages[$"{Path.GetFileName(file)}.{i:000}"] = Encoding.Latin1.GetBytes(pieces[i]);
                }
            }
        }

        return messages;
    }

    private static string? FindFolder()
    {
        if (Environment.GetEnvironmentVariable("EVENTMAIL_CORPUS") is { Length: > 0 } named)
        {
            return Directory.Exists(named) ? named : null;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "corpus");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }

    [GeneratedRegex(@"^From (?:-|\d+@xxx).*\n", RegexOptions.Multiline)]
    private static partial Regex Separator();
}
