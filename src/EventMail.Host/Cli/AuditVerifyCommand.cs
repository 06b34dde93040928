using System.CommandLine;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;

namespace EventMail.Host.Cli;

internal static class AuditVerifyCommand
{
    private static readonly Option<string[]> Checkpoints = new("--checkpoint")
    {
        HelpName = "FILE",
        Description = "Checkpoints that somebody holds, one or many in a file or a folder; may be repeated. By default those that are kept here",
    };

    private static readonly Option<string?> Offline = new("--offline")
    {
        HelpName = "EXPORT",
        Description = "What `export events` wrote is verified instead, without a database",
    };

    private static readonly Option<string[]> Keys = new("--key")
    {
        HelpName = "KEY",
        Description = "The public key that must have signed the checkpoints, or the file with it; may be repeated, where the log had several. This server's own by default",
    };

    public static Command Create()
    {
        var command = new Command("verify", "Finds and names events that were changed, removed, inserted or moved: by their hashes, by the tree that is kept of the log, and by checkpoints.")
        {
            Checkpoints, Offline, Keys, ChainVerifyRun.Account, ChainVerifyRun.UnhashedUntil, ContentVerifyRun.Contents, ListOutput.Json,
        };
        CommandLine.SetAction(command, async (run, stop) =>
        {
            var checkpoints = await ReadAsync(run, stop);
            if (run.Arguments.GetValue(Offline) is { } export)
            {
                if (run.Arguments.GetValue(ContentVerifyRun.Contents))
                    throw new CommandFailedException("An export of events has no messages: --contents needs the database.", ExitCodes.Usage);
                await VerifyAsync(export, checkpoints, stop);
                return ExitCodes.Done;
            }
            // Not by the store: a log may be altered so that none opens on it, and an auditor has no keys to open it with.
            await using var database = await HostDatabase.AttachAsync(run.Settings, run.Logs, stop);
            await using var source = AuditedDatabase.Open(database);
            var holds = await ChainVerifyRun.RunAsync(source, run, stop);
            await SubjectVerifyRun.RunAsync(source, run, stop);
            if (run.Arguments.GetValue(ContentVerifyRun.Contents))
            {
                await using var store = await MailStore.OpenAsync(run.Settings, database, run.Logs, stop);
                holds &= await ContentVerifyRun.RunAsync(store, await ChainVerifyRun.TenantAsync(source, run, stop), run.Arguments.GetValue(ListOutput.Json), stop);
            }
            if (run.Arguments.GetValue(ChainVerifyRun.Account) is null)
                await TreeVerifyRun.RunAsync(source, checkpoints, run.Arguments.GetValue(ListOutput.Json), stop);
            return holds ? ExitCodes.Done : ExitCodes.Altered;
        });
        return command;
    }

    // With their signatures checked: a checkpoint that nobody signed says nothing.
    private static async Task<IReadOnlyList<Checkpoint>> ReadAsync(CommandRun run, CancellationToken cancel)
    {
        var given = run.Arguments.GetValue(Checkpoints) ?? [];
        var offline = run.Arguments.GetValue(Offline) is not null;
        var own = CheckpointIssuer.FolderOf(run.Settings);
        IReadOnlyList<string> paths = given.Length > 0 ? given : !offline && own.Files().Count > 0 ? [own.Path] : [];
        var all = new List<SignedCheckpoint>();
        foreach (var path in paths)
            all.AddRange(await CheckpointFiles.ReadAsync(path, cancel));
        if (all.Count == 0)
            return [];
        var keys = new List<NoteKey>();
        foreach (var key in run.Arguments.GetValue(Keys) ?? [])
            keys.Add(await CheckpointFiles.KeyAsync(key, cancel));
        if (keys.Count == 0)
            keys.Add(OwnCheckpoints.KeyOf(run.Settings));
        OwnCheckpoints.RequireSigned(all, keys);
        return [.. all.Select(checkpoint => checkpoint.Checkpoint)];
    }

    private static async Task VerifyAsync(string export, IReadOnlyList<Checkpoint> checkpoints, CancellationToken stop)
    {
        if (!File.Exists(export))
            throw new CommandFailedException($"There is no file {export}.", ExitCodes.Usage);
        ExportReport report;
        try
        {
            await using var file = File.OpenRead(export);
            using var progress = new Progress("verifying", null, VerifyWords.Events);
            report = await ExportVerification.RunAsync(file, checkpoints, progress.Report, stop);
        }
        catch (InvalidDataException error)
        {
            throw new CommandFailedException($"{export}: {error.Message}.");
        }
        await VerifyWords.TellAsync(report);
    }
}
