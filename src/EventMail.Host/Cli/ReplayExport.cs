using System.Globalization;
using System.Text;
using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Projections.Replaying;

namespace EventMail.Host.Cli;

/// <summary>Writes a replay's messages as files: FOLDER/MAILBOX/UID.eml. What is there already is not written again.</summary>
internal static class ReplayExport
{
    public static async Task WriteAsync(ContentStore contents, IReadOnlyList<ReplayedMailbox> mailboxes, string folder, CancellationToken stop)
    {
        var (written, gone) = (0L, 0L);
        using (var progress = new Progress("export", mailboxes.Sum(mailbox => mailbox.State.Messages), number => $"{number:n0} messages"))
        {
            foreach (var mailbox in mailboxes)
            {
                var into = Directory.CreateDirectory(Path.Combine(folder, FolderOf(mailbox.State.Name))).FullName;
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
        await Console.Error.WriteLineAsync($"{Amount.Of(written, "message")} in {folder}{(gone > 0 ? $"; the contents of {gone} are not kept any more" : "")}");
    }

    // Whole or not there.
    private static async Task WriteAsync(ContentStore contents, long number, string file, CancellationToken stop)
    {
        if (File.Exists(file))
            return;
        await using (var content = await contents.ReadAsync(number, stop))
        await using (var read = content.OpenRead())
        await using (var write = File.Create(file + ".part"))
            await read.CopyToAsync(write, stop);
        File.Move(file + ".part", file, overwrite: true);
    }

    /// <summary>A mailbox's name as folders. Users choose these names: none leads out of the folder that they are written to.</summary>
    internal static string FolderOf(string mailbox)
    {
        var folder = new StringBuilder();
        foreach (var level in mailbox.Split('/'))
        {
            if (folder.Length > 0)
                folder.Append(Path.DirectorySeparatorChar);
            folder.Append(level.StartsWith('.') ? $"%2E{level[1..]}" : level);
        }
        return folder.ToString();
    }
}
