using System.CommandLine;
using EventMail.Domain;
using EventMail.Host.Composition;
using EventMail.Projections;

namespace EventMail.Host.Cli;

/// <summary>
/// Commands that work on the store: beside the running server as another node of its database, or on a PostgreSQL that runs for as
/// long as the command does.
/// </summary>
internal static class StoreCommand
{
    /// <summary>Who did it, in the events' metadata.</summary>
    public static Actor Operator { get; } = new("cli", $"cli-{Guid.NewGuid():n}", "{\"protocol\":\"cli\"}");

    public static void SetAction(Command command, Func<MailStore, CommandRun, CancellationToken, Task> run) =>
        CommandLine.SetAction(command, async (context, stop) =>
        {
            await RunAsync(context, stop, store => run(store, context, stop));
            return ExitCodes.Done;
        });

    /// <summary>For a command that needs the store only sometimes.</summary>
    public static async Task RunAsync(CommandRun context, CancellationToken stop, Func<MailStore, Task> run)
    {
        await using var database = await HostDatabase.AttachAsync(context.Settings, context.Logs, stop);
        await using var store = await MailStore.OpenAsync(context.Settings, database, context.Logs, stop);
        await run(store);
    }

    /// <summary>The value, or the end of the command with the reason.</summary>
    public static T OrFail<T>(this Result<T> result, string what) =>
        result.Rejection is { } rejection ? throw new CommandFailedException($"{what}: {rejection.Text}.") : result.Value!;
}
