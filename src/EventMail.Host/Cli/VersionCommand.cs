using System.CommandLine;
using System.Reflection;

namespace EventMail.Host.Cli;

internal static class VersionCommand
{
    public static string Version { get; } =
        Shortened(typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion);

    // 0.1.0+COMMIT
    private static string Shortened(string version) =>
        version.Split('+') is [var number, { Length: > 12 } commit] ? $"{number}+{commit[..12]}" : version;

    public static Command Create()
    {
        var command = new Command("version", "Prints the version.");
        command.SetAction(_ => Console.Out.WriteLine($"eventmail {Version}"));
        return command;
    }
}
