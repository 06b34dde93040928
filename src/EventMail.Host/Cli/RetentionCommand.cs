using System.CommandLine;
using System.Globalization;
using EventMail.Domain;
using EventMail.Host.Configuration;

namespace EventMail.Host.Cli;

/// <summary>How long the contents of messages that are gone are kept.</summary>
internal static class RetentionCommand
{
    public static Command Create() => new("retention", "How long the contents of messages that are in no mailbox any more are kept.") { Set(), Clear(), List(), Run() };

    private static Command Set()
    {
        var keep = new Argument<string>("TIME") { Description = "How long: 30d, 0d, forever. In days" };
        var command = new Command("set", "Makes a rule for an account, or for one of its mailboxes. What was in several places is kept as long as the longest says.")
        {
            RetentionScope.Address, keep, RetentionScope.Mailbox,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var (address, mailbox) = (run.Arguments.GetValue(RetentionScope.Address)!, run.Arguments.GetValue(RetentionScope.Mailbox));
            var days = DaysOf(run.Arguments.GetValue(keep)!);
            var account = await RetentionScope.AccountAsync(store, address, stop);
            (await store.Retention.SetAsync(account, await RetentionScope.MailboxAsync(store, account, mailbox, stop), days, StoreCommand.Operator, stop)).OrFail(address);
            await Console.Out.WriteLineAsync($"{Scope(address, mailbox)}: kept {Text(days)} once their messages are gone");
        });
        return command;
    }

    private static Command Clear()
    {
        var command = new Command("clear", "Takes a rule back.") { RetentionScope.Address, RetentionScope.Mailbox };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var (address, mailbox) = (run.Arguments.GetValue(RetentionScope.Address)!, run.Arguments.GetValue(RetentionScope.Mailbox));
            var account = await RetentionScope.AccountAsync(store, address, stop);
            (await store.Retention.ClearAsync(account, await RetentionScope.MailboxAsync(store, account, mailbox, stop), StoreCommand.Operator, stop)).OrFail(address);
            await Console.Out.WriteLineAsync($"{Scope(address, mailbox)}: no rule of its own");
        });
        return command;
    }

    private sealed record Row(string Account, string? Address, Guid? Mailbox, int? Days);

    private static Command List()
    {
        var command = new Command("list", "Prints the rules.") { ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var names = new AccountNames(store.Log.DataSource);
            var rows = new List<Row>();
            foreach (var rule in (await store.Retention.ReadAsync(stop)).Rules)
                rows.Add(new(rule.Account, await names.AddressAsync(rule.Account, stop), rule.Mailbox, rule.Days));
            if (!run.Arguments.GetValue(ListOutput.Json))
                await Console.Out.WriteLineAsync($"without a rule: {Units.Write(run.Settings.Retention.Expunged)} (Retention:Expunged)");
            await ListOutput.WriteAsync(
                run, rows.OrderBy(row => row.Address ?? row.Account, StringComparer.Ordinal).ToAsyncEnumerable(), ["ACCOUNT", "MAILBOX", "KEPT"],
                row => [row.Address ?? row.Account, row.Mailbox?.ToString() ?? "all", Text(row.Days)]);
        });
        return command;
    }

    private static Command Run()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be released" };
        var command = new Command("run", "Releases now what no message names and whose time is over. The server does the same by itself (Retention:Every).") { dryRun, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            using var progress = new Progress("releasing", null, count => count.ToString(CultureInfo.InvariantCulture));
            var done = await store.Releases.RunAsync(run.Arguments.GetValue(dryRun), StoreCommand.Operator, new Teller(progress), stop)
                ?? throw new CommandFailedException("Another process is at it; its log says when it is done.");
            if (run.Arguments.GetValue(ListOutput.Json))
                await ListOutput.WriteJsonAsync(done);
            else
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                    $"{Amount.Of(done.Released, "content")} {(run.Arguments.GetValue(dryRun) ? "would be " : "")}released, {ListOutput.Size(done.Bytes)}; {done.Held} are kept by legal holds, {done.Waiting} wait for their time"));
        });
        return command;
    }

    private sealed class Teller(Progress progress) : IProgress<long>
    {
        public void Report(long value) => progress.Report(value);
    }

    private static int? DaysOf(string text)
    {
        if (text == "forever")
            return null;
        return Units.TryParseDuration(text, out var time) && time == TimeSpan.FromDays(time.Days)
            ? time.Days
            : throw new CommandFailedException($"{text} is no time in whole days; write 30d, 0d or forever.", ExitCodes.Usage);
    }

    private static string Text(int? days) => days is { } number ? Amount.Of(number, "day") : "for ever";

    private static string Scope(string address, string? mailbox) => mailbox is null ? address : $"{address} {mailbox}";
}
