using System.CommandLine;
using System.Globalization;
using EventMail.Domain;
using EventMail.Host.Composition;
using EventMail.Host.Logs;
using EventMail.Projections.Verification;

namespace EventMail.Host.Cli;

/// <summary>The messages' part of `audit verify`: their octets beside the digests in the log. It needs the files, and the wrapping keys.</summary>
internal static class ContentVerifyRun
{
    public static readonly Option<bool> Contents = new("--contents")
    {
        Description = "Also reads every message that the log names and compares its octets with their SHA-256 there; needs the data folder and the wrapping keys",
    };

    /// <summary>False when something is wrong; what it is was printed.</summary>
    /// <param name="tenant">One account's; null: all.</param>
    public static async Task<bool> RunAsync(MailStore store, string? tenant, bool json, CancellationToken stop)
    {
        Progress? bar = null;
        ContentSummary summary;
        try
        {
            summary = await new ContentAudit(store.Log).RunAsync(
                tenant,
                async fault =>
                {
                    bar?.Dispose();
                    await (json ? ListOutput.WriteJsonAsync(new { Content = Documented(fault) }) : Console.Out.WriteLineAsync(PlainLines.OnOneLine(WordsOf(fault))));
                },
                (done, total) => (bar ??= new("reading messages", total, position => string.Create(CultureInfo.InvariantCulture, $"position {position}"))).Report(done),
                stop);
        }
        finally
        {
            bar?.Dispose();
        }
        await (json ? ListOutput.WriteJsonAsync(new { Contents = summary }) : Console.Out.WriteLineAsync(WordsOf(summary)));
        return summary.Faults == 0;
    }

    private static object Documented(ContentFault fault) => new
    {
        fault.Fault,
        Number = fault.Content,
        fault.Position,
        fault.Stream.Tenant,
        Stream = fault.Stream.Id,
        fault.Type,
        What = fault.Text,
    };

    private static string WordsOf(ContentFault fault) => string.Create(CultureInfo.InvariantCulture,
        $"{fault.Fault.ToUpperInvariant()}  content {fault.Content} of position {fault.Position}, {fault.Type}, tenant {fault.Stream.Tenant}, stream {fault.Stream.Id}: {fault.Text}.");

    private static string WordsOf(ContentSummary summary)
    {
        string?[] words =
        [
            $"{Amount.Of(summary.Contents, "content")}, {ListOutput.Size(summary.Octets)}, are what the log says. ",
            summary.Gone > 0 ? string.Create(CultureInfo.InvariantCulture, $"{summary.Gone:N0} were released or erased, as events say. ") : null,
            summary.Moved > 0 ? string.Create(CultureInfo.InvariantCulture, $"{summary.Moved:N0} of accounts that came from another database are not here: what became of them stands in its log. ") : null,
            summary.Faults > 0 ? $"{Amount.Of(summary.Faults, "fault")}. " : null,
        ];
        return string.Concat(words).TrimEnd();
    }
}
