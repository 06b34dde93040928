using System.CommandLine;
using System.Globalization;
using EventMail.EventStore;
using EventMail.EventStore.Embedded;
using EventMail.Host.Composition;
using EventMail.Projections;
using EventMail.Projections.Verification;
using Npgsql;
using Command = System.CommandLine.Command;

namespace EventMail.Host.Cli;

/// <summary>The read models: how they stand, and new generations of them beside those that serve.</summary>
internal static class ProjectionsCommand
{
    public static Command Create() => new("projections", "The read models, which are made from the log and can be made again while mail flows.")
    {
        Status(), Rebuild(), Fill(), Verify(), Switch(), Rollback(),
        Change("drop-next", "Gives up what is being built.", "Nothing is being built any more.", (generations, stop) => generations.DropNextAsync(stop)),
        Change("drop-previous", "Throws away the generations before the live ones; there is no going back to them.", "Only the live generations are left.",
            (generations, stop) => generations.DropPreviousAsync(stop)),
    };

    private static Argument<string[]> Names(string which) => new("NAME") { Description = which, Arity = ArgumentArity.ZeroOrMore };

    private static Command Rebuild()
    {
        var names = Names("Which; all of them when none is named, or those whose build was begun");
        var wait = new Option<bool>("--no-switch") { Description = "Builds, and leaves the change-over to `projections switch`" };
        var share = new Option<int>("--share")
        {
            HelpName = "PERCENT",
            Description = "While mail comes in: of the time it works, 1 to 100; the rest of it is left to the mail",
            DefaultValueFactory = _ => (int)Math.Round(GenerationOptions.DefaultShareBesideOthers * 100),
        };
        var command = new Command("rebuild", "Makes read models anew from the log beside the live ones, then changes over to them. May be interrupted: it goes on where it was.") { names, wait, share };
        SetAction(command, async (options, _, progress, run, stop) =>
        {
            var percent = run.Arguments.GetValue(share);
            if (percent is < 1 or > 100)
                throw new CommandFailedException("--share is a number from 1 to 100.", ExitCodes.Usage);
            await new Generations(options with { ShareBesideOthers = percent / 100.0 })
                .RebuildAsync(run.Arguments.GetValue(names) ?? [], !run.Arguments.GetValue(wait), progress.ReportAsync, stop);
        });
        return command;
    }

    private static Command Fill()
    {
        var names = Names($"Which of {string.Join(", ", DerivedRows.Models)}; all of them when none is named");
        var command = new Command(
            "fill", "Makes the rows that are derived from messages, which a rebuild leaves empty, before anybody asks for them. May be interrupted: it makes what is missing.") { names };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var wanted = run.Arguments.GetValue(names) ?? [];
            if (wanted.FirstOrDefault(name => !DerivedRows.Models.Contains(name)) is { } other)
                throw new CommandFailedException($"{other} is not derived from messages. There are: {string.Join(", ", DerivedRows.Models)}.", ExitCodes.Usage);
            Progress? bar = null;
            FillProgress last = default;
            try
            {
                await new DerivedRows(store.Log, store.Mailboxes).FillAsync(wanted, async progress =>
                {
                    if (bar is null || progress.Model != last.Model)
                    {
                        bar?.Dispose();
                        await EndAsync(last);
                        bar = new(progress.Model, progress.Total, done => Text(done));
                    }
                    bar.Report(progress.Done);
                    last = progress;
                }, stop);
            }
            finally
            {
                bar?.Dispose();
            }
            await EndAsync(last);
        });
        return command;

        static async Task EndAsync(FillProgress last)
        {
            if (last.Model is null)
                return;
            await Console.Out.WriteLineAsync($"{last.Model}: {Text(last.Done)} looked at");
            if (last.Unreadable > 0)
                await Console.Error.WriteLineAsync($"eventmail: {Text(last.Unreadable)} of these have contents that cannot be read, and have no row");
        }
    }

    private static Command Verify()
    {
        var names = Names("Which; all of them when none is named");
        var all = new Option<bool>("--all-contents") { Description = "Compares what is derived from messages (texts, summaries, previews, POP3's forms) with all messages: reads each of them" };
        var sample = new Option<int>("--sample")
        {
            HelpName = "N",
            Description = "Messages whose derived rows are compared otherwise, others each time; 0 for none",
            DefaultValueFactory = _ => DerivedRowChecks.DefaultSample,
        };
        var rate = new Option<int>("--rate") { HelpName = "N", Description = "Events a second at most; 0 for no limit" };
        var command = new Command("verify", "Folds the log once more and compares row by row, and what is derived from messages with some of them. Prints the rows that are not what the log says; ends with 1 if there are any.")
        {
            names, all, sample, rate, ListOutput.Json,
        };
        SetAction(command, async (options, store, progress, run, stop) =>
        {
            var count = run.Arguments.GetValue(sample);
            if (count < 0)
                throw new CommandFailedException("--sample is a number of messages, or 0.", ExitCodes.Usage);
            var verified = await new VerifyWork(store, options with { MostEventsPerSecond = run.Arguments.GetValue(rate) }, run.Arguments.GetValue(all) ? null : count)
                .RunAsync(run.Arguments.GetValue(names) ?? [], progress.ReportAsync, _ => Task.CompletedTask, StoreCommand.Operator, stop);
            progress.End();
            var drifts = verified.SelectMany(m => m.Drifts).ToList();
            foreach (var drift in drifts)
            {
                if (run.Arguments.GetValue(ListOutput.Json))
                    await ListOutput.WriteJsonAsync(drift);
                else
                    await Console.Out.WriteLineAsync($"{drift.Model}: {drift.Table} {drift.Key}\n  is          {drift.Live ?? "missing"}\n  the log says {drift.Folded ?? "there is none"}");
            }
            if (drifts.Count > 0)
                throw new CommandFailedException(
                    $"{drifts.Count} rows are not what the log says. `eventmail projections rebuild {string.Join(' ', drifts.Select(d => d.Model).Distinct())}` makes them anew.");
            if (verified.Count == 0)
                throw new CommandFailedException("None of these can be compared: there are no tables of it, or it was asked to compare no messages.", ExitCodes.Usage);
            if (!run.Arguments.GetValue(ListOutput.Json))
                await Console.Out.WriteLineAsync($"Every row is what the log says: {string.Join(", ", verified.Select(m => m.Name))}.");
        });
        return command;
    }

    private static Command Switch()
    {
        var command = new Command("switch", "Changes over to what was built: one short transaction.");
        SetAction(command, (generations, progress, _, stop) => generations.SwitchAsync(progress.ReportAsync, stop));
        return command;
    }

    private static Command Rollback()
    {
        var names = Names("Which; all that have a generation before the live one when none is named");
        var command = new Command("rollback", "Goes back to the generations before the live ones, which take their place: one short transaction each.") { names };
        SetAction(command, (generations, progress, run, stop) => generations.RollbackAsync(run.Arguments.GetValue(names) ?? [], progress.ReportAsync, stop));
        return command;
    }

    private static Command Change(string name, string description, string done, Func<Generations, CancellationToken, Task> change)
    {
        var command = new Command(name, description);
        SetAction(command, async (generations, _, _, stop) =>
        {
            await change(generations, stop);
            await Console.Out.WriteLineAsync(done);
        });
        return command;
    }

    private static void SetAction(Command command, Func<Generations, BuildBar, CommandRun, CancellationToken, Task> work) =>
        SetAction(command, (options, _, bar, run, stop) => work(new(options), bar, run, stop));

    private static void SetAction(
        Command command, Func<GenerationOptions, MailStore, BuildBar, CommandRun, CancellationToken, Task> work) =>
        CommandLine.SetAction(command, async (run, stop) =>
        {
            await using var database = await HostDatabase.AttachAsync(run.Settings, run.Logs, stop);
            // Not before: a PostgreSQL that is started for it would keep to it as well, and may come to serve.
            var processor = CommandLine.OwnsProcess && database.IsEmbedded ? OneProcessor.TakeOn() : null;
            await using var store = await MailStore.OpenAsync(run.Settings, database, run.Logs, stop);
            var bar = new BuildBar();
            var options = GenerationWork.OptionsOf(store, database, run.Logs, processor);
            try
            {
                await work(options, store, bar, run, stop);
            }
            finally
            {
                bar.End();
            }
            return ExitCodes.Done;
        });

    private static Command Status()
    {
        var command = new Command("status", "Prints each read model: its version, how far it is behind the log, its size, and what is being built.") { ListOutput.Json };
        CommandLine.SetAction(command, async (run, stop) =>
        {
            await using var database = await HostDatabase.AttachAsync(run.Settings, run.Logs, stop);
            await using var source = NpgsqlDataSource.Create(database.ConnectionString);
            var inspection = new ReadModelInspection(source);
            var models = await inspection.StatusAsync(ReadModels.All(run.Logs), stop);
            await ListOutput.WriteAsync(
                run, models.ToAsyncEnumerable(), ["NAME", "VERSION", "GENERATION", "BUILT", "LAG", "ROWS", "SIZE", "VERIFIED", "BUILDING", "PREVIOUS"],
                m => [m.Name, VersionOf(m), Text(m.Generation), Time(m.Built), LagOf(m), Text(m.Rows), ListOutput.Size(m.Bytes), CheckOf(m.Check), BuildOf(m.Build), PreviousOf(m.Previous)]);
            if (models.Any(m => m.LagEvents > 0) && await inspection.HeldUpByAsync(stop) is { } open)
                await Console.Error.WriteLineAsync($"eventmail: {open}");
            var unreadable = await UnreadableEvents.FindAsync(source, EventTypes.Create(), MailStore.KeyRulesOf(run.Settings.Keys), run.Settings.Data, stop);
            foreach (var row in unreadable)
                await Console.Error.WriteLineAsync($"eventmail: {WordsOf(row)}");
            return unreadable.Count > 0 ? ExitCodes.Failed : ExitCodes.Done;
        });
        return command;
    }

    private static string WordsOf(UnreadableRow row) =>
        $"the event at position {Text(row.Sequence)} ({row.Type}, version {Text(row.Version)} of the stream {row.Stream}) {(row.IsAltered ? "was altered" : row.CanBeRead ? "cannot be folded" : "cannot be read")}: {row.Error} "
        + (row.CanBeRead && !row.IsAltered
            ? "Its stream goes on from where it stands; read models that were built since lack what is behind it. Once the row is right (public.mt_events), `eventmail projections rebuild` mends them."
            : "Its stream is in quarantine: it takes no commands, the others go on. Once the row is repaired (public.mt_events) it is released by itself, and what follows the log takes "
            + "the event up; what was rebuilt meanwhile and is folded with the commits lacks it: `eventmail projections verify` says so, `eventmail projections rebuild` mends it.");

    private static string VersionOf(ReadModelStatus model) => model.LiveVersion switch
    {
        null => "missing",
        { } live when live == model.Version => Text(live),
        { } live => $"{Text(live)} (program: {Text(model.Version)})",
    };

    private static string LagOf(ReadModelStatus model) =>
        model.IsInline ? "none" : model.LagEvents == 0 ? "0" : string.Create(CultureInfo.InvariantCulture, $"{model.LagEvents} events, {model.LagSeconds:0.0} s");

    private static string CheckOf(ReadModelCheck? check) => check is null ? "" : check.Drifted == 0 ? Time(check.Checked) : $"{Text(check.Drifted)} ROWS DIFFER, {Time(check.Checked)}";

    private static string BuildOf(ReadModelBuild? build) => build is null ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"generation {build.Generation}: {build.Share:0.0 %}, {build.Rate:0} events/s{(build.Left is { } left ? $", {left:hh\\:mm\\:ss} left" : "")}");

    private static string PreviousOf(PreviousGeneration? previous) => previous is null ? "" : $"generation {Text(previous.Generation)}";

    private static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";
}
