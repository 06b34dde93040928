using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Host.Moving.Export;

/// <summary>Paths below a folder for names of mailboxes, which are anything that a client may think of.</summary>
internal sealed class FilePaths(string root)
{
    private readonly HashSet<string> _taken = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A new file; the folders above it are made.</summary>
    public string FileOf(string mailbox, string extension)
    {
        var path = Free(Safe(mailbox), extension);
        OwnFolders.Make(Path.GetDirectoryName(path)!);
        return path;
    }

    /// <summary>A new folder.</summary>
    public string FolderOf(string mailbox)
    {
        var path = Free(Safe(mailbox), "");
        OwnFolders.Make(path);
        return path;
    }

    // "..", "." and hidden files begin with a dot.
    private static string Safe(string mailbox) => Path.Combine(
        [.. mailbox.Split(MailboxName.Separator).Select(level => (level[0] == '.' ? "_" + level[1..] : level).Replace('\\', '_'))]);

    private string Free(string name, string extension)
    {
        var path = Path.Combine(root, name + extension);
        for (var i = 2; !_taken.Add(path); i++)
            path = Path.Combine(root, $"{name}~{i}{extension}");
        return path;
    }
}
