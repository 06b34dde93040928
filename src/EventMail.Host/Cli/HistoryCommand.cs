using System.CommandLine;
using System.Globalization;
using EventMail.Host.Logs;
using EventMail.Projections.History;

namespace EventMail.Host.Cli;

internal static class HistoryCommand
{
    public static Command Create()
    {
        var address = new Argument<string>("ADDRESS") { Description = "An account; a closed one's log is still there" };
        var mailbox = new Argument<string?>("MAILBOX") { Arity = ArgumentArity.ZeroOrOne, Description = "Only mailboxes that have or had this name" };
        var since = new Option<string?>("--since") { HelpName = "TIME", Description = "2026-11-01, 2026-11-01T12:00:00Z, or 2h, 3d ago" };
        var until = new Option<string?>("--until") { HelpName = "TIME", Description = "Before this time" };
        var command = new Command("history", "Prints the log of an account in plain words: what happened, when, by whom, from where.")
        {
            address, mailbox, since, until, ListOutput.Json,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var (from, to) = (TimeOf(run.Arguments.GetValue(since)), TimeOf(run.Arguments.GetValue(until)));
            var history = new HistoryLog(store.Log, store.Directory);
            var name = run.Arguments.GetValue(address)!;
            var accounts = await history.AccountsAsync(name, stop);
            if (accounts.Count == 0)
                throw new CommandFailedException($"There is and was no account {name}. `eventmail account list` shows all.");
            var json = run.Arguments.GetValue(ListOutput.Json);
            var query = new HistoryQuery { Accounts = accounts, Mailbox = run.Arguments.GetValue(mailbox), Since = from, Until = to };
            await foreach (var entry in history.ReadAsync(query, stop))
                await (json ? ListOutput.WriteJsonAsync(entry) : Console.Out.WriteLineAsync(LineOf(entry)));
        });
        return command;
    }

    internal static string LineOf(HistoryEntry entry)
    {
        string?[] from =
        [
            entry.By is { } by ? $"by {by}" : null,
            entry.Protocol is { } protocol ? $"{protocol}{(entry.ClientIp is { } ip ? $" from {ip}" : "")}" : null,
            entry.Session is { } session ? $"session {session}" : null,
        ];
        var where = entry.Mailbox is { } mailbox ? $"{mailbox}: " : "";
        // Strangers chose some of these words.
        return PlainLines.OnOneLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.Time.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z  {where}{entry.What}  [{string.Join(", ", from.Where(part => part is not null))}]"));
    }

    private static DateTimeOffset? TimeOf(string? text)
    {
        if (text is null)
            return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            return time;
        return Configuration.Units.TryParseDuration(text, out var ago)
            ? DateTimeOffset.UtcNow - ago
            : throw new CommandFailedException($"{text} is no time; write 2026-11-01, 2026-11-01T12:00:00Z, or 2h for two hours ago.", ExitCodes.Usage);
    }
}
