using EventMail.EventStore.Proof;
using Npgsql;

namespace EventMail.Host.Cli;

/// <summary>The tree's half of `audit verify`. As the chains', it needs the database alone, and changes nothing.</summary>
internal static class TreeVerifyRun
{
    /// <exception cref="CommandFailedException">The log, the tree or a checkpoint does not fit the others; what it is was printed.</exception>
    public static async Task RunAsync(NpgsqlDataSource source, IReadOnlyList<Checkpoint> checkpoints, bool json, CancellationToken stop)
    {
        var verification = new TreeVerification(source);
        TreeReport report;
        using (var progress = new Progress("verifying the tree", await CountAsync(source, stop), VerifyWords.Events))
            report = await verification.RunAsync(checkpoints, progress.Report, stop);
        if (json)
        {
            await VerifyWords.TellJsonAsync(report);
            return;
        }
        var shown = report.Leaves.Take(VerifyWords.Shown).ToList();
        var names = await verification.NamesAsync([.. shown.Select(leaf => leaf.Elsewhere ?? leaf.Position)], stop);
        await VerifyWords.TellAsync(report, names);
    }

    // For the bar: positions that were never used are counted, too.
    private static async Task<long> CountAsync(NpgsqlDataSource source, CancellationToken stop)
    {
        await using var command = source.CreateCommand("select coalesce(max(seq_id), 0) from public.mt_events");
        return (long)(await command.ExecuteScalarAsync(stop))!;
    }
}
