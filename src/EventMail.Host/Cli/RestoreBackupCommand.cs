using System.CommandLine;
using System.Globalization;
using EventMail.Domain;
using EventMail.EventStore.Backup;
using EventMail.Host.Composition;
using EventMail.Host.Moving.Backup;
using EventMail.Projections.Moving;
using Npgsql;

namespace EventMail.Host.Cli;

/// <summary>A backup into an empty database and data folder (docs/backup.md).</summary>
internal static class RestoreBackupCommand
{
    public static Command Create()
    {
        var target = new Argument<string>("TARGET") { Description = "The backup's folder" };
        var until = new Option<string?>("--until")
        {
            HelpName = "TIME|POSITION",
            Description = "Only what the log had then: 2026-11-01T12:00:00Z, or a position in it",
        };
        var keys = new Option<string?>("--keys") { HelpName = "FOLDER", Description = "The copy of the keys that `backup --keys` made" };
        var command = new Command("restore-backup", "Puts a backup into an empty database and data folder. It is verified before anything is written.")
        {
            target, until, keys,
        };
        CommandLine.SetAction(command, async (run, stop) =>
        {
            var folder = new BackupFolder(run.Arguments.GetValue(target)!);
            var (time, position) = CutOf(run.Arguments.GetValue(until));
            using var progress = new StageProgress("restore");
            var backup = await BackupCommand.Failing(() => new BackupVerification(folder, progress.Report).RunAsync(time, stop));
            backup = CutAt(backup, time, position);

            var from = run.Arguments.GetValue(keys);
            if (from is not null && !Directory.Exists(from))
                throw new CommandFailedException($"There is no folder {from}.", ExitCodes.Usage);
            using var one = HostLock.Take(run.Settings.Data);
            await using var database = await HostDatabase.AttachAsync(run.Settings, run.Logs, stop);
            var contents = run.Settings.Content.Folder.Length > 0 ? Path.GetFullPath(run.Settings.Content.Folder) : Path.Combine(run.Settings.Data, "content");
            var result = await BackupCommand.Failing(() => new LogRestore(database.ConnectionString, contents, folder, backup, from, FinishAsync, progress.Report).RunAsync(stop));
            progress.Dispose();
            await Console.Out.WriteLineAsync($"Restored {Amount.Of(result.Events, "event")} up to position {result.To}, {Amount.Of(result.Contents, "content")}, {Amount.Of(result.Files, "file")}. The next start builds the read models.");
            // Neither its log nor anything else here can know of what came later.
            await Console.Out.WriteLineAsync("An account that has moved to another server since that instant is open here again, as it is there: `eventmail account suspend` it before a server takes mail here.");
            return ExitCodes.Done;

            async Task FinishAsync(NpgsqlConnection connection)
            {
                if (from is not null)
                    KeyCopy.Restore(run.Settings, from);
                foreach (var (account, there) in await MovedAccounts.HoldAsync(connection, stop))
                    await Console.Out.WriteLineAsync($"account {account} has moved to {there}: nothing is written to it here");
            }
        });
        return command;
    }

    private static (DateTimeOffset? Time, long? Position) CutOf(string? text) =>
        text is null ? (null, null)
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? (null, position)
        : TimeArgument.TryInstant(text, out var time) ? (time, null)
        : throw new CommandFailedException($"{text} is neither a time such as 2026-11-01T12:00:00Z nor a position in the log.", ExitCodes.Usage);

    private static VerifiedBackup CutAt(VerifiedBackup backup, DateTimeOffset? time, long? position)
    {
        var last = backup.Runs[^1];
        // What was committed while it was copied is not in it.
        if (time > last.Started || position > last.To)
            throw new CommandFailedException($"The backup ends at position {last.To}, at {last.LastTime:u}: it knows nothing of a later state.");
        var cut = position ?? backup.Cut;
        return cut > 0 ? backup with { Cut = cut } : throw new CommandFailedException("The backup's first event is later: there was nothing then.");
    }
}
