using System.Text;
using EventMail.Domain.Messages;

namespace EventMail.Protocols.Tests.Imap;

/// <summary>
/// Real messages from a folder outside the repository: EVENTMAIL_CORPUS, else ../shared/corpus beside the repository or above it.
/// </summary>
internal static class ImapCorpus
{
    public static readonly string? Folder = Find();

    /// <summary>With CRLF, as a client sends them, by file name.</summary>
    public static IEnumerable<(string Name, byte[] Bytes)> Messages()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Folder!, "messages")).Order(StringComparer.Ordinal))
        {
            var text = Encoding.Latin1.GetString(File.ReadAllBytes(file)).Replace("\r\n", "\n", StringComparison.Ordinal);
            yield return (Path.GetFileName(file), Encoding.Latin1.GetBytes(text.Replace("\n", "\r\n", StringComparison.Ordinal)));
        }
    }

    /// <summary>The part numbers of a message that FETCH knows, containers too.</summary>
    public static List<(string Number, PartMapNode Part)> Parts(byte[] message)
    {
        var reader = new MessageReader(MessageLimits.Default);
        reader.Feed(message);
        var found = new List<(string, PartMapNode)>();
        Add(PartMap.Of(reader.Finish()).Root, "", found);
        return found;
    }

    private static void Add(PartMapNode part, string prefix, List<(string Number, PartMapNode Part)> found)
    {
        if (part.Kind != PartKind.Multipart)
        {
            AddOne(part, prefix + "1", found);
            return;
        }

        for (var i = 0; i < part.Parts.Count; i++)
            AddOne(part.Parts[i], $"{prefix}{i + 1}", found);
    }

    private static void AddOne(PartMapNode part, string number, List<(string Number, PartMapNode Part)> found)
    {
        found.Add((number, part));
        if (part.Kind == PartKind.Multipart)
            Add(part, number + ".", found);
        else if (part.EmbeddedMessage is { } inner)
            Add(inner, number + ".", found);
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("EVENTMAIL_CORPUS") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (Path.Combine(folder.FullName, "shared", "corpus") is var candidate && Directory.Exists(candidate))
                return candidate;
        }

        return null;
    }
}

/// <summary>Skipped, and counted so, where the corpus of real messages is absent.</summary>
public sealed class ImapCorpusFactAttribute : FactAttribute
{
    public ImapCorpusFactAttribute()
    {
        if (ImapCorpus.Folder is null)
            Skip = "No corpus of real messages: set EVENTMAIL_CORPUS.";
    }
}
