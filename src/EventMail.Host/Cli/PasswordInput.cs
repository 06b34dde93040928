using System.CommandLine;

namespace EventMail.Host.Cli;

/// <summary>How commands are given a password.</summary>
internal static class PasswordInput
{
    public static readonly Option<string?> Given = new("--password")
    {
        HelpName = "PASSWORD",
        Description = "On the command line, where other users of this machine may see it",
    };

    public static readonly Option<bool> FromStdin = new("--password-stdin")
    {
        Description = "The first line of standard input",
    };

    /// <summary>Null when none is given.</summary>
    public static async Task<string?> ReadAsync(ParseResult arguments)
    {
        var given = arguments.GetValue(Given);
        if (!arguments.GetValue(FromStdin))
            return given;
        if (given is not null)
            throw new CommandFailedException("Give --password or --password-stdin, not both.", ExitCodes.Usage);
        return await Console.In.ReadLineAsync() is { Length: > 0 } line
            ? line
            : throw new CommandFailedException("There is no password on standard input.", ExitCodes.Usage);
    }
}
