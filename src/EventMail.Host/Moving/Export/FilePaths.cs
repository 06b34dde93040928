using System.Globalization;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Host.Moving.Export;

/// <summary>
/// Paths below a folder for names of mailboxes, which are anything that a client may think of: each has one of its own, which file systems of other
/// systems, and those that tell no capitals from small letters, can hold as well. The same names in the same order have the same paths.
/// </summary>
/// <param name="isOwn">Names in a mailbox's folder that messages and the like have.</param>
/// <param name="again">What is there already may be from before; otherwise the folder is new.</param>
internal sealed class FilePaths(string root, Func<string, bool>? isOwn = null, bool again = false)
{
    // Octets: what file systems take.
    private const int MaxName = 255;

    private readonly HashSet<string> _taken = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _folders = new(StringComparer.Ordinal);
    private readonly List<RenamedMailbox> _renamed = [];

    /// <summary>Mailboxes whose path does not read as their name does.</summary>
    public IReadOnlyList<RenamedMailbox> Renamed => _renamed;

    /// <summary>A new file; the folders above it are made.</summary>
    public string FileOf(string mailbox, string extension)
    {
        var (folder, level) = Above(mailbox);
        OwnFolders.Make(folder);
        return Noted(mailbox, Free(folder, level, extension), extension);
    }

    /// <summary>A folder, made; those of the mailboxes below it are in it.</summary>
    public string FolderOf(string mailbox) => Noted(mailbox, Folder(mailbox), "");

    private string Noted(string mailbox, string path, string extension)
    {
        if (Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, MailboxName.Separator) != mailbox + extension)
            _renamed.Add(new(mailbox, path));
        return path;
    }

    private string Folder(string mailbox)
    {
        if (!_folders.TryGetValue(mailbox, out var path))
        {
            var (folder, level) = Above(mailbox);
            _folders.Add(mailbox, path = Free(folder, level, ""));
            OwnFolders.Make(path);
        }
        return path;
    }

    private (string Folder, string Level) Above(string mailbox) => mailbox.LastIndexOf(MailboxName.Separator) is >= 0 and var at
        ? (Folder(mailbox[..at]), mailbox[(at + 1)..])
        : (root, mailbox);

    // What is there in a new folder has the same name for this file system, if for no other.
    private string Free(string folder, string level, string extension)
    {
        for (var i = 1; ; i++)
        {
            var end = i == 1 ? extension : string.Create(CultureInfo.InvariantCulture, $"~{i}{extension}");
            var name = FileName.Of(level, MaxName - end.Length) + end;
            var path = Path.Combine(folder, name);
            if (isOwn?.Invoke(name) != true && _taken.Add(path) && (again || !Path.Exists(path)))
                return path;
        }
    }
}
