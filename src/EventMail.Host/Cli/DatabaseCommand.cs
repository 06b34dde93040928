using System.CommandLine;
using EventMail.Host.Composition;

namespace EventMail.Host.Cli;

internal static class DatabaseCommand
{
    public static Command Create() => new("db", "The database behind the server.") { Url(), Template() };

    private static Command Url()
    {
        var command = new Command("url", "Prints the running database's URL, with its password, for psql and other tools.");
        CommandLine.SetAction(command, async (run, _) =>
        {
            var url = HostDatabase.RunningUrl(run.Settings) ?? throw new CommandFailedException(
                $"The database of {run.Settings.Data} does not run now; it runs as long as the server does (eventmail serve).",
                ExitCodes.WrongMoment);
            await Console.Out.WriteLineAsync(url);
            return ExitCodes.Done;
        });
        return command;
    }

    private static Command Template()
    {
        var command = new Command("template", "Makes the empty database that serve --capture copies at its start, unless it is there. The build does it.");
        CommandLine.SetAction(command, async (run, stop) =>
        {
            await HostDatabase.PrepareThrowAwayAsync(run.Settings, run.Logs, stop);
            return ExitCodes.Done;
        });
        return command;
    }
}
