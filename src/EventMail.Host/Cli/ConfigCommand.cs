using System.CommandLine;
using EventMail.Host.Configuration;

namespace EventMail.Host.Cli;

internal static class ConfigCommand
{
    private const string Masked = "********";

    public static Command Create() => new("config", "The settings.") { Show() };

    private static Command Show()
    {
        var command = new Command("show", "Prints every setting in effect, as --set takes it. Secrets are masked.");
        CommandLine.SetAction(command, async (run, _) =>
        {
            foreach (var (setting, key, value) in SettingsTable.Effective(run.Settings))
                await Console.Out.WriteLineAsync($"{key}={(setting.IsSecret && value.Length > 0 ? Masked : value)}");
            return ExitCodes.Done;
        });
        return command;
    }
}
