using System.Globalization;
using EventMail.Domain;
using EventMail.EventStore.Proof;
using EventMail.Host.Logs;

namespace EventMail.Host.Cli;

/// <summary>What a verification found, in words on standard output; the end of the command when something is wrong.</summary>
internal static class VerifyWords
{
    /// <summary>Findings that are told one by one.</summary>
    public const int Shown = 100;

    public static string Events(long count) => Amount.Of(count, "event");

    /// <param name="names">What stands at positions today.</param>
    public static async Task TellAsync(TreeReport report, IReadOnlyDictionary<long, string> names)
    {
        foreach (var leaf in report.Leaves.Take(Shown))
            await LineAsync(WordsOf(leaf, names));
        await MoreAsync(report.Leaves.Count + report.MoreLeaves - Shown, "differences");
        foreach (var damage in report.Damages.Take(Shown))
            await LineAsync($"the stored tree is damaged: {damage}");
        await MoreAsync(report.Damages.Count - Shown, "damages");
        await TellAsync(report.Checkpoints, report.Events);
        if (report.Checkpoints.Count == 0)
            await LineAsync("no checkpoint was held against it: only one that somebody else holds (--checkpoint) shows that the end of the log is not gone, and that nobody computed all of it anew");
        var failed = report.Checkpoints.Where(c => c.Verdict != CheckpointVerdict.Holds).ToList();
        if (failed.Count > 0 && report.Leaves.Count == 0 && report.Damages.Count == 0 && failed.Any(c => c.Verdict == CheckpointVerdict.Differs))
            await LineAsync(Between(report.Checkpoints));
        await LineAsync($"{Events(report.Events)}, root {report.Root}");
        if (!report.Holds)
            throw new CommandFailedException("The log is not what it was. Keep a copy of the database and of the checkpoints before anything else is done.", ExitCodes.Altered);
    }

    /// <summary>The same as one JSON object, whose member tree it is.</summary>
    public static async Task TellJsonAsync(TreeReport report)
    {
        await ListOutput.WriteJsonAsync(new
        {
            Tree = new
            {
                report.Holds,
                report.Events,
                Root = report.Root.ToString(),
                Checkpoints = report.Checkpoints.Select(c => new { c.Checkpoint.Origin, c.Checkpoint.Size, c.Checkpoint.Time, Verdict = c.Verdict.ToString() }),
                Forked = CheckpointFork.In(report.Checkpoints).Take(Shown).Select(fork => new { fork.Size, Roots = fork.Roots.Select(root => root.ToString()) }),
                Differences = report.Leaves.Take(Shown).Select(leaf => new { Fault = leaf.Fault.ToString(), leaf.Position, leaf.Elsewhere }),
                MoreDifferences = Math.Max(0, report.Leaves.Count + report.MoreLeaves - Shown),
                Damages = report.Damages.Take(Shown),
            },
        });
        if (!report.Holds)
            throw new CommandFailedException("The log is not what it was.", ExitCodes.Altered);
    }

    public static async Task TellAsync(ExportReport report)
    {
        foreach (var fault in report.Faults.Take(Shown))
            await LineAsync(fault);
        await MoreAsync(report.Faults.Count + report.MoreFaults - Shown, "faults");
        await TellAsync(report.Checkpoints, report.Events);
        if (report.Checkpoints.Count == 0)
            await LineAsync("no checkpoint was held against it: its events fit together, and anybody can make such a file (--checkpoint, --key)");
        await LineAsync($"{Events(report.Events)} of {(report.Header.Tenant is { } tenant ? $"the account {tenant}" : "the log")}, root {report.Root}");
        if (report.Unchained > 0)
            await LineAsync($"{Events(report.Unchained)} name no predecessor: only checkpoints say whether they were changed");
        if (!report.Holds)
            throw new CommandFailedException("The export is not what the log was.", ExitCodes.Altered);
    }

    private static async Task TellAsync(IReadOnlyList<CheckpointFinding> findings, long events)
    {
        foreach (var (checkpoint, verdict, treeHolds) in findings.Where(c => c.Verdict != CheckpointVerdict.Holds).Take(Shown))
            await LineAsync(verdict == CheckpointVerdict.LogIsShorter
                ? $"FAILED: {WordsOf(checkpoint)}: there are {events} now, the others were removed"
                : $"FAILED: {WordsOf(checkpoint)}: the first {Events(checkpoint.Size)} are others today{(treeHolds ? "; the stored tree is still that of then" : "")}");
        foreach (var fork in CheckpointFork.In(findings).Take(Shown))
            await LineAsync($"FORKED: of {Events(fork.Size)} there are checkpoints with different roots: two logs were signed");
        var held = findings.Where(c => c.Verdict == CheckpointVerdict.Holds).Select(c => c.Checkpoint).ToList();
        if (held.Count > 0)
            await LineAsync($"{held.Count} checkpoint{(held.Count == 1 ? "" : "s")} hold{(held.Count == 1 ? "s" : "")}, the newest: {WordsOf(held.MaxBy(c => c.Size)!)}");
    }

    private static string WordsOf(Checkpoint checkpoint) =>
        $"{checkpoint.Origin}, {Events(checkpoint.Size)}{(checkpoint.Time is { } time ? string.Create(CultureInfo.InvariantCulture, $", {time:yyyy-MM-dd HH:mm:ss}Z") : "")}";

    private static string WordsOf(LeafFinding leaf, IReadOnlyDictionary<long, string> names)
    {
        var now = names.TryGetValue(leaf.Elsewhere ?? leaf.Position, out var name) ? $": {name}" : "";
        return leaf.Fault switch
        {
            LeafFault.Removed => $"event {leaf.Position} was removed",
            LeafFault.Inserted => $"event {leaf.Position} was inserted{now}",
            LeafFault.Moved => $"event {leaf.Position} was moved to position {leaf.Elsewhere}{now}",
            _ => $"event {leaf.Position} was changed{now}",
        };
    }

    // Log and tree say the same, and both something else than what was signed.
    private static string Between(IReadOnlyList<CheckpointFinding> checkpoints)
    {
        var first = checkpoints.Where(c => c.Verdict == CheckpointVerdict.Differs).Min(c => c.Checkpoint.Size);
        var before = checkpoints.Where(c => c.Verdict == CheckpointVerdict.Holds && c.Checkpoint.Size < first).Select(c => c.Checkpoint.Size).DefaultIfEmpty().Max();
        return $"the stored tree was changed like the log, and does not tell which event it is: it is between the {before + 1}th and the {first}th; more checkpoints narrow it down";
    }

    private static Task MoreAsync(long count, string what) => count > 0 ? LineAsync($"and {count} {what} more") : Task.CompletedTask;

    // Others chose some of these words.
    private static Task LineAsync(string text) => Console.Out.WriteLineAsync(PlainLines.OnOneLine(text));
}
