using System.Runtime.CompilerServices;
using System.Text;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Mailstores;
using EventMail.Host.Cli;
using EventMail.Protocols.Imap.Grammar;

namespace EventMail.Host.Moving.Import;

/// <summary>
/// A Maildir with its folders: Maildir++ (".Work.2026"), or folders in folders as Dovecot's LAYOUT=fs has them. A message is named by its file, so that
/// an import that is repeated reads only what is new.
/// </summary>
internal sealed class MaildirSource : IImportSource
{
    private readonly string _root;
    // What stands for octets of a file's name that are no UTF-8: by such a name nothing is found again.
    private const char Undecodable = '\uFFFD';

    private readonly List<(string Path, string Name)> _folders = [];
    private readonly List<SkippedMessage> _unread = [];
    private long _done;

    private MaildirSource(string root) => _root = root;

    /// <exception cref="CommandFailedException">There is no Maildir.</exception>
    public static MaildirSource Open(string root)
    {
        var source = new MaildirSource(Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)));
        source.Find(source._root, []);
        source._folders.Sort((a, b) => MailboxName.Order.Compare(a.Name, b.Name));
        return source._folders.Count > 0
            ? source
            : throw new CommandFailedException($"{root} is no Maildir: neither it nor a folder in it has a folder `cur`.", ExitCodes.Usage);
    }

    public long? Total { get; private set; }

    public IReadOnlyList<SkippedMessage> Unread => _unread;

    public string Show(long done) => $"{done} messages";

    public static bool IsUndecodable(string name) => name.Contains(Undecodable, StringComparison.Ordinal);

    private void Find(string directory, string[] levels)
    {
        if (Directory.Exists(Path.Combine(directory, "cur")))
            _folders.Add((directory, levels.Length == 0 ? MailboxName.Inbox : string.Join(MailboxName.Separator, levels)));
        foreach (var child in Directory.EnumerateDirectories(directory))
        {
            var name = Path.GetFileName(child);
            // A link may lead round in a circle.
            if (name is "cur" or "new" or "tmp" || IsLink(child))
                continue;
            if (IsUndecodable(name))
                _unread.Add(new(Path.GetRelativePath(_root, child), "the whole folder: its name is no UTF-8; rename it"));
            else if (name[0] != '.')
                Find(child, [.. levels, Decoded(name)]);
            else if (MaildirFolder.Levels(name) is { } below && Directory.Exists(Path.Combine(child, "cur")))
                Find(child, [.. levels, .. below.Select(Decoded)]);
        }
    }

    // What is no modified UTF-7 is UTF-8. A level cannot have the separator of ours in it.
    private static string Decoded(string level) =>
        (ModifiedUtf7.TryDecode(Encoding.UTF8.GetBytes(level), out var name) ? name : level).Replace(MailboxName.Separator, '_');

    public async IAsyncEnumerable<SourceFolder> FoldersAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask;
        Total = _folders.Sum(folder => (long)FilesOf(folder.Path).Count());
        foreach (var (path, name) in _folders)
        {
            cancel.ThrowIfCancellationRequested();
            yield return new Folder(this, path, name);
        }
    }

    public ValueTask DisposeAsync() => default;

    public static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    private static IEnumerable<string> DirectoriesOf(string folder) => new[] { "cur", "new" }.Select(name => Path.Combine(folder, name)).Where(Directory.Exists);

    private static IEnumerable<string> FilesOf(string folder) =>
        DirectoriesOf(folder).Where(directory => !IsLink(directory))
            .SelectMany(directory => Directory.EnumerateFiles(directory)).Where(path => Path.GetFileName(path)[0] != '.');

    private sealed class Folder(MaildirSource source, string path, string name) : SourceFolder(name, null)
    {
        public override async IAsyncEnumerable<SourceMessage> MessagesAsync([EnumeratorCancellation] CancellationToken cancel)
        {
            await Task.CompletedTask;
            foreach (var directory in DirectoriesOf(path).Where(IsLink))
                Damaged.Add(new(Name, $"{Path.GetFileName(directory)} is a link, which is not followed"));
            var file = Path.Combine(path, "dovecot-keywords");
            var keywords = MaildirName.ReadKeywords(File.Exists(file) && !IsLink(file) ? File.ReadLines(file) : []);
            // Oldest first, as they came in.
            var messages = FilesOf(path).Select(message => (Path: message, Name: MaildirName.Parse(Path.GetFileName(message), keywords)))
                .OrderBy(message => message.Name.Time ?? DateTimeOffset.UnixEpoch).ThenBy(message => message.Name.Unique, StringComparer.Ordinal).ToList();
            foreach (var (message, parsed) in messages)
            {
                cancel.ThrowIfCancellationRequested();
                source._done++;
                yield return new MaildirMessage(message, parsed, source._done);
            }
        }
    }
}
