using System.CommandLine;
using System.Globalization;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Projections;
using Npgsql;
using Command = System.CommandLine.Command;

namespace EventMail.Host.Cli;

/// <summary>The read models: how they stand, and new generations of them beside those that serve.</summary>
internal static class ProjectionsCommand
{
    public static Command Create() => new("projections", "The read models, which are made from the log and can be made again while mail flows.")
    {
        Status(),
    };

    private static Command Status()
    {
        var command = new Command("status", "Prints each read model: its version, how far it is behind the log, its size, and what is being built.") { ListOutput.Json };
        CommandLine.SetAction(command, async (run, stop) =>
        {
            await using var database = await HostDatabase.AttachAsync(run.Settings, run.Logs, stop);
            await using var source = NpgsqlDataSource.Create(database.ConnectionString);
            var models = await new ReadModelInspection(source).StatusAsync(ReadModels.All(EventTypes.Create(), run.Logs), stop);
            await ListOutput.WriteAsync(
                run, models.ToAsyncEnumerable(), ["NAME", "VERSION", "GENERATION", "BUILT", "LAG", "ROWS", "SIZE", "BUILDING", "PREVIOUS"],
                m => [m.Name, VersionOf(m), Text(m.Generation), Time(m.Built), LagOf(m), Text(m.Rows), ListOutput.Size(m.Bytes), BuildOf(m.Build), PreviousOf(m.Previous)]);
            return ExitCodes.Done;
        });
        return command;
    }

    private static string VersionOf(ReadModelStatus model) => model.LiveVersion switch
    {
        null => "missing",
        { } live when live == model.Version => Text(live),
        { } live => $"{Text(live)} (program: {Text(model.Version)})",
    };

    private static string LagOf(ReadModelStatus model) =>
        model.IsInline ? "none" : model.LagEvents == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{model.LagEvents} events, {model.LagSeconds:0.0} s");

    private static string BuildOf(ReadModelBuild? build) => build is null ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"generation {build.Generation}: {build.Share:0.0 %}, {build.Rate:0} events/s{(build.Left is { } left ? $", {left:hh\\:mm\\:ss} left" : "")}");

    private static string PreviousOf(PreviousGeneration? previous) => previous is null ? "" : $"generation {Text(previous.Generation)}";

    private static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";
}
