using System.CommandLine;
using EventMail.EventStore.Proof;
using EventMail.Host.Audit;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;

namespace EventMail.Host.Cli;

internal static class AuditCheckpointCommand
{
    public static Command Create()
    {
        var command = new Command("checkpoint", "Signs what the log is now, adds it to the folder of checkpoints and prints it. Hand it to somebody who is to hold it.");
        StoreCommand.SetAction(command, async (store, run, stop) =>
            await Console.Out.WriteAsync((await SignAsync(store, run.Settings, stop)).ToString()));
        return command;
    }

    /// <summary>A checkpoint of now.</summary>
    public static async Task<SignedCheckpoint> SignAsync(MailStore store, HostSettings settings, CancellationToken stop)
    {
        var issuer = new CheckpointIssuer(new(store.Log), AuditKeyFile.Open(settings, out _), CheckpointIssuer.FolderOf(settings), TimeProvider.System);
        try
        {
            return (await issuer.IssueAsync(always: true, stop))!;
        }
        catch (Exception error) when (error is CheckpointConflictException or InvalidDataException)
        {
            throw new CommandFailedException(error.Message);
        }
    }
}
