using System.Text;
using System.Text.RegularExpressions;

namespace EventMail.Domain.Tests.Messages;

/// <summary>
/// Messages for golden tests: real ones from a folder outside the repository (EVENTMAIL_CORPUS, else ../shared/corpus
/// beside the repository or above) and the odd ones in Golden/torture. All with CRLF, as an SMTP client sends them.
/// </summary>
internal static partial class Corpus
{
    public static readonly string? Folder = FindFolder();

    public static readonly string GoldenFolder = FindUpwards("tests/EventMail.Domain.Tests/Golden")
        ?? throw new DirectoryNotFoundException("tests/EventMail.Domain.Tests/Golden");

    private static readonly Lazy<SortedDictionary<string, byte[]>> All = new(Load);

    public static IReadOnlyDictionary<string, byte[]> Messages => All.Value;

    /// <summary>The separators of the mbox files; record-dovecot splits by the same rule.</summary>
    [GeneratedRegex(@"^From (-|\d+@xxx)")]
    private static partial Regex Separator();

    private static SortedDictionary<string, byte[]> Load()
    {
        var messages = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(Path.Combine(GoldenFolder, "torture"), "*.eml"))
            messages["torture/" + Path.GetFileName(file)] = WithCrLf(File.ReadAllBytes(file));
        if (Folder is null)
            return messages;
        foreach (var file in Directory.GetFiles(Path.Combine(Folder, "messages")))
            messages["messages/" + Path.GetFileName(file)] = WithCrLf(File.ReadAllBytes(file));
        foreach (var file in Directory.GetFiles(Path.Combine(Folder, "mbox")))
        {
            foreach (var (number, bytes) in SplitMbox(File.ReadAllBytes(file)))
                messages[$"mbox/{Path.GetFileName(file)}.{number:000}"] = WithCrLf(bytes);
        }
        return messages;
    }

    public static byte[] WithCrLf(byte[] bytes)
    {
        var output = new List<byte>(bytes.Length + bytes.Length / 30);
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
                output.Add((byte)'\r');
            output.Add(bytes[i]);
        }
        return [.. output];
    }

    private static IEnumerable<(int Number, byte[] Bytes)> SplitMbox(byte[] mbox)
    {
        var number = 0;
        var current = new StringBuilder();
        foreach (var line in Encoding.Latin1.GetString(mbox).Split('\n'))
        {
            if (Separator().IsMatch(line))
            {
                if (number > 0)
                    yield return (number, Encoding.Latin1.GetBytes(current.ToString()));
                number++;
                current.Clear();
            }
            else
            {
                current.Append(line).Append('\n');
            }
        }
        // Split leaves one empty piece behind the last line end.
        if (number > 0)
            yield return (number, Encoding.Latin1.GetBytes(current.ToString()[..^1]));
    }

    private static string? FindFolder()
    {
        var named = Environment.GetEnvironmentVariable("EVENTMAIL_CORPUS");
        return named is { Length: > 0 } ? (Directory.Exists(named) ? named : null) : FindUpwards("shared/corpus");
    }

    private static string? FindUpwards(string relative)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, relative);
            if (Directory.Exists(candidate))
                return candidate;
        }
        return null;
    }
}

/// <summary>Skipped, and counted so, where the corpus of real messages is absent.</summary>
public sealed class CorpusFactAttribute : FactAttribute
{
    public CorpusFactAttribute()
    {
        if (Corpus.Folder is null)
            Skip = "No corpus of real messages: set EVENTMAIL_CORPUS.";
    }
}
