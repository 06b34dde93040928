using EventMail.Domain;
using EventMail.EventStore.Proof;
using EventMail.Host.Logs;
using EventMail.Projections;
using EventMail.Projections.Verification;
using Npgsql;

namespace EventMail.Host.Cli;

/// <summary>The part of `audit verify` that is about keys of personal fields. A word and no fault: a log that was restored to a time before an erasure looks as if its key had been taken away.</summary>
internal static class SubjectVerifyRun
{
    public static async Task RunAsync(NpgsqlDataSource source, CommandRun run, CancellationToken stop)
    {
        var end = await new ChainVerifier(source, EventStreams.Kinds).LastAsync(stop);
        foreach (var lost in await new SubjectAudit(source).RunAsync(await ChainVerifyRun.TenantAsync(source, run, stop), end, stop))
            await (run.Arguments.GetValue(ListOutput.Json)
                ? ListOutput.WriteJsonAsync(new { LostKey = lost })
                : Console.Out.WriteLineAsync(PlainLines.OnOneLine(
                    $"KEY GONE  {lost.Subject}: personal fields of {Amount.Of(lost.Events, "event")} up to position {lost.Last} cannot be opened any more, and no order in this log erased them. "
                    + "Unless the log was restored to a time before an erasure, the key was destroyed past this server: put its row of eventmail.subject_key back from a backup.")));
    }
}
