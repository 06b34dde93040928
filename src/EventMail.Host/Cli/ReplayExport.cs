using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Host.Moving.Export;
using EventMail.Projections.Replaying;

namespace EventMail.Host.Cli;

/// <summary>
/// Writes a replay's messages as files: FOLDER/MAILBOX/UID.eml. A file that is there already is never taken for what the replay says: the folder is
/// empty, or was begun by the same replay (then what is there is held against the digests), or the operator has said that it may be written anew.
/// </summary>
internal sealed class ReplayExport
{
    private const string Part = ".part";

    /// <summary>In the folder: which replay it has. Which mailboxes, and up to which of their events; not how the command put it.</summary>
    private const string Mark = ".eventmail-replay";

    private readonly string _folder;
    private readonly bool _overwrite;

    private ReplayExport(string folder, bool overwrite) => (_folder, _overwrite) = (folder, overwrite);

    private string MarkFile => Path.Combine(_folder, Mark);

    /// <exception cref="CommandFailedException">There is something else.</exception>
    public static ReplayExport Into(string folder, bool overwrite)
    {
        var export = new ReplayExport(Path.GetFullPath(folder), overwrite);
        if (File.Exists(export._folder))
            throw new CommandFailedException($"{folder} is a file: --export writes to a folder.");
        if (!overwrite && Directory.Exists(export._folder) && !File.Exists(export.MarkFile) && Directory.EnumerateFileSystemEntries(export._folder).Any())
            throw new CommandFailedException($"{folder} is not empty, and what is in it may be of another time: nothing was written. Choose another folder, or say --overwrite.");
        return export;
    }

    /// <summary>Behind <see cref="BeginAsync"/>.</summary>
    public async Task WriteAsync(ContentStore contents, IReadOnlyList<ReplayedMailbox> mailboxes, CancellationToken stop)
    {
        var (count, renamed) = (new Count(), new List<RenamedMailbox>());
        var accounts = mailboxes.GroupBy(mailbox => mailbox.Key.Tenant).ToList();
        using (var progress = new Progress("export", mailboxes.Sum(mailbox => mailbox.State.Messages), number => $"{number:n0} messages"))
        {
            foreach (var account in accounts)
            {
                // Accounts that had the address one after the other have mailboxes of the same names.
                var root = accounts.Count > 1 ? Path.Combine(_folder, account.Key) : _folder;
                // Users choose mailboxes' names: none leads out of the folder, or to another's messages.
                var paths = new FilePaths(root, IsOwn, again: true);
                foreach (var mailbox in account)
                    await WriteAsync(contents, mailbox, paths.FolderOf(mailbox.State.Name), count, progress, stop);
                renamed.AddRange(paths.Renamed);
            }
        }
        foreach (var mailbox in renamed)
            await Console.Error.WriteLineAsync($"mailbox {mailbox.Name} is in {Path.GetRelativePath(_folder, mailbox.Path)}");
        await Console.Error.WriteLineAsync(
            $"{Amount.Of(count.Written + count.There, "message")} in {_folder}{(count.There > 0 ? $", {count.There} of them from before, with the digests that they should have" : "")}{(count.Gone > 0 ? $"; the contents of {count.Gone} are not kept any more" : "")}");
        if (_overwrite && Directory.EnumerateFiles(_folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).LongCount() - 1 - count.Written is > 0 and var others)
            await Console.Error.WriteLineAsync($"{Amount.Of(others, "file")} in {_folder} were there before and are none of this replay's");
    }

    private sealed class Count
    {
        public long Written { get; set; }

        public long There { get; set; }

        public long Gone { get; set; }
    }

    private async Task WriteAsync(ContentStore contents, ReplayedMailbox mailbox, string into, Count count, Progress progress, CancellationToken stop)
    {
        for (var i = 0; i < mailbox.State.View!.Count; i++)
        {
            var row = mailbox.State.View[i];
            var file = Path.Combine(into, $"{row.Uid.ToString(CultureInfo.InvariantCulture)}.eml");
            try
            {
                if (!_overwrite && File.Exists(file))
                {
                    await CheckAsync(contents, row.Content, file, stop);
                    count.There++;
                }
                else
                {
                    await WriteAsync(contents, row.Content, file, stop);
                    count.Written++;
                }
            }
            catch (ContentMissingException)
            {
                count.Gone++;
            }
            progress.Report(count.Written + count.There + count.Gone);
        }
    }

    private static bool IsOwn(string name) =>
        EmlTarget.IsOwn(name) || name.EndsWith(Part, StringComparison.OrdinalIgnoreCase) || name.Equals(Mark, StringComparison.OrdinalIgnoreCase);

    /// <summary>Notes in the folder what it is to have. Before anything is printed.</summary>
    /// <exception cref="CommandFailedException">It has another replay's.</exception>
    public async Task BeginAsync(IReadOnlyList<ReplayedMailbox> mailboxes, CancellationToken stop)
    {
        var mark = MarkOf(mailboxes);
        if (!_overwrite && File.Exists(MarkFile) && await File.ReadAllTextAsync(MarkFile, stop) != mark)
            throw new CommandFailedException(
                $"{_folder} has the messages of another replay, of other mailboxes or another time: nothing was written. Choose another folder, or say --overwrite. To go on with what was cut off say the same --until or --sequence.");
        OwnFolders.Make(_folder);
        await File.WriteAllTextAsync(MarkFile + Part, mark, stop);
        File.Move(MarkFile + Part, MarkFile, overwrite: true);
    }

    private static string MarkOf(IReadOnlyList<ReplayedMailbox> mailboxes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var mailbox in mailboxes)
            hash.AppendData(Encoding.UTF8.GetBytes($"{mailbox.Key.Tenant} {mailbox.Key.Id:n} {mailbox.State.Version.ToString(CultureInfo.InvariantCulture)}\n"));
        return $"{Convert.ToHexStringLower(hash.GetHashAndReset())}\n";
    }

    // Names of a run that was cut off may be there with less than they should have, if the machine went down.
    private static async Task CheckAsync(ContentStore contents, long number, string file, CancellationToken stop)
    {
        var digest = await contents.DigestAsync(number, stop);
        await using var read = File.OpenRead(file);
        if (!(await SHA256.HashDataAsync(read, stop)).AsSpan().SequenceEqual(digest))
            throw new CommandFailedException($"{file} is not what the replay says: its SHA-256 is another. Delete it and run this again, or say --overwrite to write all anew.");
    }

    // Whole or not there.
    private static async Task WriteAsync(ContentStore contents, long number, string file, CancellationToken stop)
    {
        await using (var content = await contents.ReadAsync(number, stop))
        await using (var read = content.OpenRead())
        await using (var write = File.Create(file + Part))
            await read.CopyToAsync(write, stop);
        File.Move(file + Part, file, overwrite: true);
    }
}
