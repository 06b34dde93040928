using System.CommandLine;
using EventMail.Host.Audit;

namespace EventMail.Host.Cli;

internal static class AuditKeyCommand
{
    public static Command Create()
    {
        var command = new Command("key", "Prints the public key of the log's checkpoints, for those who are to check them. Makes the key where there is none.");
        CommandLine.SetAction(command, async (run, _) =>
        {
            await Console.Out.WriteLineAsync(AuditKeyFile.Open(run.Settings, out var _).Public.ToString());
            return ExitCodes.Done;
        });
        return command;
    }
}
