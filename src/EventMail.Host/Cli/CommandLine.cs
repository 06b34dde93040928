using System.CommandLine;
using System.Net.Sockets;
using EventMail.EventStore.Embedded;
using EventMail.Host.Configuration;
using EventMail.Host.Logs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Host.Cli;

/// <summary>The command line: one file per command beside this one, listed here.</summary>
public static class CommandLine
{
    // PostgreSQL's class of errors "insufficient resources": it is there, and its disk is full.
    private const string NoResources = "53";

    // "Transaction rollback": it is there, and somebody was in the way.
    private const string RolledBack = "40";

    private static readonly Lock Parsing = new();

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "The data folder",
        HelpName = "DIR",
        Recursive = true,
    };

    private static readonly Option<string?> Config = new("--config")
    {
        Description = "A JSON file with settings",
        HelpName = "FILE",
        Recursive = true,
    };

    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "One setting, for example Imap:Port=0; may be repeated",
        HelpName = "Key=Value",
        Recursive = true,
        Arity = ArgumentArity.ZeroOrMore,
    };

    /// <summary>--data itself, without what other settings say.</summary>
    internal static string? DataFolderOf(ParseResult arguments) => arguments.GetValue(Data);

    // All commands.
    private static RootCommand Create() => new("EventMail: a mail server whose only source of truth is an event log.")
    {
        Data, Config, Set,
        ServeCommand.Create(),
        AccountCommand.Create(),
        DomainCommand.Create(),
        AliasCommand.Create(),
        MailboxCommand.Create(),
        ImportCommand.Create(),
        ExportCommand.Create(),
        BackupCommand.Create(),
        RestoreBackupCommand.Create(),
        QueueCommand.Create(),
        HistoryCommand.Create(),
        ReplayCommand.Create(),
        AuditCommand.Create(),
        RestoreCommand.Create(),
        ProjectionsCommand.Create(),
        ApiKeyCommand.Create(),
        WebhookCommand.Create(),
        RetentionCommand.Create(),
        HoldCommand.Create(),
        EraseCommand.Create(),
        TraceCommand.Create(),
        DatabaseCommand.Create(),
        KeysCommand.Create(),
        ConfigCommand.Create(),
        VersionCommand.Create(),
    };

    /// <summary>The process is the command's alone: it may change what is the process's.</summary>
    public static bool OwnsProcess { get; set; }

    public static Task<int> RunAsync(string[] arguments) => RunAsync(Parse(arguments));

    /// <summary>Thread-safe.</summary>
    public static ParseResult Parse(string[] arguments)
    {
        // The options are there once for the process, and notice which commands they belong to.
        lock (Parsing)
        {
            // A password may begin with @: it is not the name of a file with more arguments.
            return Create().Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        }
    }

    public static async Task<int> RunAsync(ParseResult parsed)
    {
        if (UnknownOptions.FirstOf(parsed) is { } option)
        {
            await Console.Error.WriteLineAsync($"eventmail: There is no option {option} here; --help lists those that are. A value that begins with a hyphen stands behind --.");
            return ExitCodes.Usage;
        }

        // Signals are ours: a server has its own way to stop, and a command must put its PostgreSQL away.
        var exitCode = await parsed.InvokeAsync(new() { ProcessTerminationTimeout = null });
        return parsed.Errors.Count > 0 ? ExitCodes.Usage : exitCode;
    }

    /// <summary>Makes <paramref name="run"/> the command's action: reads the settings, and turns failures into words and an exit code.</summary>
    public static void SetAction(Command command, Func<CommandRun, CancellationToken, Task<int>> run) =>
        command.SetAction(async parsed =>
        {
            try
            {
                var settings = new SettingsSources(parsed.GetValue(Data), parsed.GetValue(Config), parsed.GetValue(Set))
                {
                    ReadDataFolder = !ServeCommand.IsCapture(parsed),
                }.Load();
                // Beside a command's own words only what went wrong, unless more is asked for.
                var quiet = command.Name != ServeCommand.Name && settings.Log.Level == LogLevel.Information;
                using var logs = HostLogs.Create(quiet ? settings.Log with { Level = LogLevel.Warning } : settings.Log);
                using var signals = new StopSignals();
                return await run(new(parsed, settings, logs, signals), signals.Stop);
            }
            catch (SettingsException error)
            {
                foreach (var fault in error.Faults)
                    await Console.Error.WriteLineAsync($"eventmail: {fault}");
                return ExitCodes.Usage;
            }
            catch (EventStore.GenerationRefusedException error)
            {
                await Console.Error.WriteLineAsync($"eventmail: {error.Message}");
                return ExitCodes.WrongMoment;
            }
            catch (EventStore.TenantReadOnlyException error)
            {
                await Console.Error.WriteLineAsync($"eventmail: The account {error.Reason}: nothing is written to it here.");
                return ExitCodes.WrongMoment;
            }
            catch (CommandFailedException error)
            {
                await Console.Error.WriteLineAsync($"eventmail: {error.Message}");
                return error.ExitCode;
            }
            catch (NpgsqlException error) when (error.IsTransient && error.SqlState?[..2] is not (NoResources or RolledBack))
            {
                await Console.Error.WriteLineAsync($"eventmail: The database is not there, or went away: {error.Message}");
                return ExitCodes.Failed;
            }
            catch (Exception error) when (error is EmbeddedPostgresException or NpgsqlException or SocketException or TimeoutException
                or IOException or InvalidDataException or UnauthorizedAccessException or EventStore.ContentUnreadableException or EventStore.SubjectKeyUnusableException
                or EventStore.DamagedStreamException)
            {
                await Console.Error.WriteLineAsync($"eventmail: {error.Message}");
                return ExitCodes.Failed;
            }
            catch (OperationCanceledException)
            {
                await Console.Error.WriteLineAsync("eventmail: stopped.");
                return ExitCodes.Failed;
            }
        });
}

/// <summary>What a command's action works with.</summary>
public sealed record CommandRun(ParseResult Arguments, HostSettings Settings, ILoggerFactory Logs, StopSignals Signals);
