using System.CommandLine;
using System.Globalization;
using EventMail.Domain;
using EventMail.Host.Composition;
using EventMail.Host.Logs;
using EventMail.Projections.Deliveries;

namespace EventMail.Host.Cli;

/// <summary>What waits to be delivered to other servers.</summary>
internal static class QueueCommand
{
    public static Command Create() => new("queue", "Mail on its way to other servers: what waits, and why.")
    {
        List(), Show(),
        QueueChange.Create("retry", "Tries again now, whatever the schedule says.", "to be tried now", reason: false,
            (store, delivery, domain, _, stop) => store.Deliveries.Operations.RetryAsync(delivery, domain, StoreCommand.Operator, stop)),
        QueueChange.Create("cancel", "Takes recipients out of the queue. Nobody is told of it.", "cancelled", reason: true,
            (store, delivery, domain, reason, stop) => store.Deliveries.Operations.CancelAsync(delivery, domain, reason, StoreCommand.Operator, stop)),
        QueueChange.Create("hold", "Stops messages until they are released; with --domain those with recipients there, as a whole.", "held", reason: true,
            (store, delivery, _, reason, stop) => store.Deliveries.Operations.HoldAsync(delivery, reason, StoreCommand.Operator, stop)),
        QueueChange.Create("release", "Lets held messages go on.", "released", reason: false,
            (store, delivery, _, _, stop) => store.Deliveries.Operations.ReleaseAsync(delivery, StoreCommand.Operator, stop)),
    };

    private static Command List()
    {
        const int DefaultLimit = 100;
        var domain = QueueChange.DomainOption();
        var sender = QueueChange.SenderOption();
        var held = new Option<bool>("--held") { Description = "Only what is held" };
        var limit = new Option<int>("--limit") { HelpName = "N", Description = "Rows at most; 0 for all", DefaultValueFactory = _ => DefaultLimit };
        var after = new Option<string?>("--after") { HelpName = "ID/DOMAIN", Description = "What comes behind a row, as the last line of a page says" };
        var command = new Command("list", "Prints what waits, in the order of submission: a row for each message and domain.")
        {
            domain, sender, held, limit, after, ListOutput.Json,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var queries = store.Deliveries.Operations.Queries;
            var filter = new QueueFilter(
                null, QueueChange.Canonical(run.Arguments.GetValue(domain)), QueueChange.PathOf(run.Arguments.GetValue(sender)),
                run.Arguments.GetValue(held) ? true : null);
            var most = run.Arguments.GetValue(limit) is > 0 and var given ? given : int.MaxValue;
            var last = default(QueueEntry);
            var shown = 0;
            await ListOutput.WriteAsync(
                run, Rows(), ["ID", "DOMAIN", "FROM", "TO", "SIZE", "SUBMITTED", "TRIED", "NEXT", "REASON"],
                row => [row.Id.ToString(), row.Domain, $"<{row.Sender}>", Number(row.Recipients), ListOutput.Size(row.Size), Time(row.Submitted),
                    Number(row.Attempts), NextOf(row), PlainLines.OnOneLine(row.Reason ?? "")]);
            if (run.Arguments.GetValue(ListOutput.Json))
                return;
            var counts = await queries.CountAsync(filter, stop);
            await Console.Out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{Amount.Of(counts.Rows, "row")} of {Amount.Of(counts.Deliveries, "message")} for {Amount.Of(counts.Recipients, "recipient")}: {counts.Due} due, {counts.Held} held"));
            if (shown == most && last is not null)
                await Console.Out.WriteLineAsync($"for more: eventmail queue list --after {last.Delivery.Id}/{last.Domain}");

            async IAsyncEnumerable<QueueLine> Rows()
            {
                await foreach (var entry in queries.ListAsync(filter, AfterOf(run.Arguments.GetValue(after)), stop))
                {
                    if (shown == most)
                        yield break;
                    (last, shown) = (entry, shown + 1);
                    yield return QueueLine.Of(entry);
                }
            }
        });
        return command;
    }

    /// <summary>A row in the words of --json.</summary>
    private sealed record QueueLine(
        Guid Id, string Account, string Domain, string Sender, int Recipients, long Size, DateTimeOffset Submitted, int Attempts, DateTimeOffset Due,
        bool Held, bool Suspended, bool Claimed, string? Reason)
    {
        public static QueueLine Of(QueueEntry row) => new(
            row.Delivery.Id, row.Delivery.Tenant, row.Domain, row.Sender, row.Recipients, row.Size, row.Submitted, row.Attempts, row.Due, row.Held,
            row.Suspended, row.Claimed, row.Reason);
    }

    private static Command Show()
    {
        var id = new Argument<string>("ID") { Description = "As `queue list` and `history` print it; also of a message that is delivered" };
        var command = new Command("show", "Prints a message and what happened to each of its recipients: every attempt with its answer.") { id, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var delivery = QueueChange.IdOf(run.Arguments.GetValue(id)!);
            var report = await store.Deliveries.Operations.ShowAsync(delivery, stop)
                ?? throw new CommandFailedException($"There is no message {delivery}. `eventmail queue list` shows what waits.");
            if (run.Arguments.GetValue(ListOutput.Json))
            {
                await ListOutput.WriteJsonAsync(report);
                return;
            }
            foreach (var line in LinesOf(report))
                await Console.Out.WriteLineAsync(PlainLines.OnOneLine(line));
        });
        return command;
    }

    internal static IEnumerable<string> LinesOf(DeliveryReport report)
    {
        yield return string.Create(CultureInfo.InvariantCulture,
            $"{report.Id} from <{report.Sender}>, {ListOutput.Size(report.Size)}, submitted {Time(report.Submitted)} by {report.By ?? "somebody"}");
        if (report.MessageId is { } messageId)
            yield return $"Message-ID <{messageId}>";
        if (report.HoldUntil is { } until)
            yield return $"not to be delivered before {Time(until)}";
        if (report.DeliverBy is { } by)
            yield return $"to be delivered by {Time(by)}";
        if (report.Held)
            yield return "held";
        if (report.Suspended)
            yield return "stopped: its account is suspended";
        foreach (var recipient in report.Recipients)
        {
            yield return "";
            yield return $"<{recipient.Address}> {StateOf(report, recipient)}";
            foreach (var entry in recipient.History)
                yield return $"  {entry.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z  {entry.What}{(entry.By is { } who and not "system" ? $" [by {who}]" : "")}";
        }
    }

    private static string StateOf(DeliveryReport report, RecipientReport recipient) => recipient switch
    {
        { UnderWay: { } since } => $"is being tried on {recipient.Node} since {Time(since)}, no outcome so far",
        { Next: { } next } => string.Create(CultureInfo.InvariantCulture,
            $"waits, {recipient.Attempts} attempts so far, the next one {(report.Held ? "when it is released" : report.Suspended ? "when its account is resumed" : $"at {Time(next)}")}, {recipient.Retries} of {report.MaxRetries} retries used"),
        _ => recipient.State,
    };

    private static (Guid, string)? AfterOf(string? text)
    {
        if (text is null)
            return null;
        var slash = text.IndexOf('/');
        return (QueueChange.IdOf(slash < 0 ? text : text[..slash]), slash < 0 ? "" : text[(slash + 1)..]);
    }

    private static string NextOf(QueueLine row) => row.Held ? "held" : row.Suspended ? "suspended" : row.Claimed ? "now" : Time(row.Due);

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
