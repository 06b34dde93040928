namespace EventMail.Host.Cli;

/// <summary>Ends a command with a message for the operator.</summary>
public sealed class CommandFailedException(string message, int exitCode = ExitCodes.Failed) : Exception(message)
{
    public int ExitCode => exitCode;
}
