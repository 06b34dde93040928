using System.CommandLine;
using EventMail.Domain;
using EventMail.EventStore.Backup;
using EventMail.Host.Composition;
using EventMail.Host.Moving.Backup;

namespace EventMail.Host.Cli;

/// <summary>Backups of the log and the contents (docs/backup.md).</summary>
internal static class BackupCommand
{
    private static readonly Argument<string> Target = new("TARGET") { Description = "The backup's folder; further runs onto the same one take what is new" };

    public static Command Create()
    {
        var keys = new Option<string?>("--keys")
        {
            HelpName = "FOLDER",
            Description = "Where the keys and the settings file go, which must not lie beside the backup; only their newest state is kept",
        };
        var command = new Command("backup", "Copies the log and the contents, while the server runs.") { Target, keys, Verify() };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var folder = new BackupFolder(run.Arguments.GetValue(Target)!);
            var apart = run.Arguments.GetValue(keys) is { } place ? KeyCopy.PlaceOf(place, folder.Path) : null;
            using var one = BackupRun.Take(folder);
            using var progress = new StageProgress("backup");
            var result = await Failing(() => new LogBackup(store.Log, folder, progress.Report).RunAsync(stop));
            progress.Dispose();
            if (result.WentOn)
                await Console.Out.WriteLineAsync("Went on with the run that was ended.");
            await Console.Out.WriteLineAsync(result.Manifest is { } done ? WordsOf(done) : "Nothing is new since the last run.");
            await CopyKeysAsync(store, run, apart, stop);
            if (result.Manifest?.Missing is { Count: > 0 } missing)
                throw new CommandFailedException($"Not in the backup: {Amount.Of(missing.Count, "content")} with a row but no file: {string.Join(", ", missing.Take(5))}");
        });
        return command;
    }

    private static string WordsOf(BackupManifest done)
    {
        var rows = done.Segments.GroupBy(segment => segment.Kind).ToDictionary(group => group.Key, group => group.Sum(segment => segment.Rows));
        return $"Run {done.Run}: {Amount.Of(rows.GetValueOrDefault("events"), "event")} up to position {done.To}, {Amount.Of(rows.GetValueOrDefault("contents"), "content")}, {rows.GetValueOrDefault("files")} of them files; {ListOutput.Size(done.Segments.Sum(segment => segment.Octets))}.";
    }

    private static async Task CopyKeysAsync(MailStore store, CommandRun run, string? keys, CancellationToken stop)
    {
        if (keys is null)
            await Console.Out.WriteLineAsync("The keys (secret.key and the folder keys of the data folder) are not in it: without them what they encrypt is lost. Copy them with --keys FOLDER.");
        else
        {
            await Console.Out.WriteLineAsync($"Keys and settings: {Amount.Of(await BackupRun.CopyKeysAsync(store, run.Settings, keys, stop), "file")} in {keys}.");
        }
    }

    private static Command Verify()
    {
        var command = new Command("verify", "Reads a whole backup and compares it with its hashes. Needs no database.") { Target };
        CommandLine.SetAction(command, async (run, stop) =>
        {
            using var progress = new StageProgress("backup");
            var folder = new BackupFolder(run.Arguments.GetValue(Target)!);
            var backup = await Failing(() => new BackupVerification(folder, progress.Report).RunAsync(null, stop));
            progress.Dispose();
            var last = backup.Runs[^1];
            await Console.Out.WriteLineAsync($"{folder.Path} is as it was written: {Amount.Of(backup.Runs.Count, "run")}, {Amount.Of(backup.Events, "event")} up to position {last.To} ({last.LastTime:u}), {Amount.Of(backup.Contents, "content")}, {Amount.Of(backup.Files, "file")}.");
            return ExitCodes.Done;
        });
        return command;
    }

    /// <summary>What the backup's folder is to blame for, in words.</summary>
    public static async Task<T> Failing<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (BackupDamagedException damaged)
        {
            throw new CommandFailedException(damaged.Message);
        }
        catch (RestoreRefusedException refused)
        {
            throw new CommandFailedException(refused.Message);
        }
        catch (IOException full) when (full.HResult is DiskFull)
        {
            throw new CommandFailedException($"{full.Message} Make room, and run the same command again: it goes on where this one ended.");
        }
    }

    // ENOSPC, as .NET tells it on Unix.
    private const int DiskFull = 28;
}
