using System.CommandLine;

namespace EventMail.Host.Cli;

internal static class AuditCommand
{
    public static Command Create() => new("audit", "Shows that nobody changed the log.")
    {
        AuditVerifyCommand.Create(), AuditKeyCommand.Create(), AuditCheckpointCommand.Create(), AuditProveCommand.Create(), AuditCheckCommand.Create(),
    };
}
