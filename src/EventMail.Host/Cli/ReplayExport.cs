using System.Globalization;
using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Host.Moving.Export;
using EventMail.Projections.Replaying;

namespace EventMail.Host.Cli;

/// <summary>Writes a replay's messages as files: FOLDER/MAILBOX/UID.eml. What is there already is not written again.</summary>
internal static class ReplayExport
{
    private const string Part = ".part";

    public static async Task WriteAsync(ContentStore contents, IReadOnlyList<ReplayedMailbox> mailboxes, string folder, CancellationToken stop)
    {
        var (written, gone) = (0L, 0L);
        // Users choose mailboxes' names: none leads out of the folder, or to another's messages.
        var paths = new FilePaths(Path.GetFullPath(folder), name => EmlTarget.IsOwn(name) || name.EndsWith(Part, StringComparison.OrdinalIgnoreCase), again: true);
        using (var progress = new Progress("export", mailboxes.Sum(mailbox => mailbox.State.Messages), number => $"{number:n0} messages"))
        {
            foreach (var mailbox in mailboxes)
            {
                var into = paths.FolderOf(mailbox.State.Name);
                for (var i = 0; i < mailbox.State.View!.Count; i++)
                {
                    var row = mailbox.State.View[i];
                    var file = Path.Combine(into, $"{row.Uid.ToString(CultureInfo.InvariantCulture)}.eml");
                    try
                    {
                        await WriteAsync(contents, row.Content, file, stop);
                        written++;
                    }
                    catch (ContentMissingException)
                    {
                        gone++;
                    }
                    progress.Report(written + gone);
                }
            }
        }
        foreach (var renamed in paths.Renamed)
            await Console.Error.WriteLineAsync($"mailbox {renamed.Name} is in {Path.GetRelativePath(folder, renamed.Path)}");
        await Console.Error.WriteLineAsync($"{Amount.Of(written, "message")} in {folder}{(gone > 0 ? $"; the contents of {gone} are not kept any more" : "")}");
    }

    // Whole or not there.
    private static async Task WriteAsync(ContentStore contents, long number, string file, CancellationToken stop)
    {
        if (File.Exists(file))
            return;
        await using (var content = await contents.ReadAsync(number, stop))
        await using (var read = content.OpenRead())
        await using (var write = File.Create(file + Part))
            await read.CopyToAsync(write, stop);
        File.Move(file + Part, file, overwrite: true);
    }
}
