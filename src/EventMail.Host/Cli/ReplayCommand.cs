using System.CommandLine;
using System.Globalization;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Host.Logs;
using EventMail.Projections.History;
using EventMail.Projections.Replaying;
using Command = System.CommandLine.Command;

namespace EventMail.Host.Cli;

/// <summary>Folds the log anew and prints what comes out: an answer that no read model has a part in.</summary>
internal static class ReplayCommand
{
    private static readonly Argument<string?> Address = new("ADDRESS") { Arity = ArgumentArity.ZeroOrOne, Description = "An account, or one that was closed; all, if left out" };
    private static readonly Argument<string?> Mailbox = new("MAILBOX") { Arity = ArgumentArity.ZeroOrOne, Description = "The messages of this one, as it was called then" };
    private static readonly Option<string?> Until = new("--until") { HelpName = "TIME", Description = $"As of when, its events included: {TimeArgument.Forms}" };
    private static readonly Option<long?> Sequence = new("--sequence") { HelpName = "N", Description = "As of this position of the log" };
    private static readonly Option<string[]?> Diff = new("--diff")
    {
        HelpName = "TIME TIME",
        Arity = new(2, 2),
        AllowMultipleArgumentsPerToken = true,
        Description = "What is different at the second time",
    };

    private static readonly Option<string?> Export = new("--export") { HelpName = "FOLDER", Description = "Also writes the messages there, a file each" };

    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "With --export: FOLDER may hold other files; those that have a message's name are written anew" };

    private static readonly Option<bool> Pictures = new("--pictures")
    {
        Description = "Begins at pictures of mailboxes instead of their first events: quick, but what is printed is no longer the log's word alone",
    };

    public static Command Create()
    {
        var command = new Command("replay", "Folds the log from its first event and prints the mailboxes that come out, or one's messages.")
        {
            Address, Mailbox, Until, Sequence, Diff, Export, Overwrite, Pictures, ListOutput.Json,
        };
        command.Validators.Add(result =>
        {
            // Whether they are there: what they say may be no value, and is refused for that.
            if (((Option[])[Until, Sequence, Diff]).Count(way => result.GetResult(way) is not null) > 1)
                result.AddError("Say one of --until TIME, --sequence N and --diff TIME TIME.");
            if (result.GetResult(Export) is not null && (result.GetValue(Address) is null || result.GetResult(Diff) is not null))
                result.AddError("--export writes what one account had at one time: replay ADDRESS --until TIME --export FOLDER.");
            if (result.GetValue(Overwrite) && result.GetResult(Export) is null)
                result.AddError("--overwrite is for --export FOLDER.");
        });
        StoreCommand.SetAction(command, (store, run, stop) =>
            run.Arguments.GetValue(Diff) is [var first, var second] ? DiffAsync(store, run, first, second, stop)
            : run.Arguments.GetValue(Address) is null && !run.Arguments.GetValue(Pictures) ? ListAllAsync(store, run, stop)
            : run.Arguments.GetValue(Mailbox) is { } mailbox ? PrintAsync(store, run, mailbox, stop)
            : ListAsync(store, run, stop));
        return command;
    }

    // One go through the log is quicker than one for each mailbox.
    private static async Task ListAllAsync(MailStore store, CommandRun run, CancellationToken stop)
    {
        var (point, end) = await PointAsync(store, run, stop);
        var replay = new LogReplay();
        using (var progress = new Progress("replay", Math.Min(point.Sequence ?? end, end), position => $"{position:n0} events"))
        {
            await foreach (var e in store.Log.Reader.ReadAllAsync(0, stop))
            {
                if (e.Sequence > point.Sequence)
                    break;
                progress.Report(e.Sequence);
                if (point.Has(e))
                    replay.Fold(e);
            }
        }
        await WriteAsync(run, replay.Mailboxes());
        FailIfAny([.. replay.Damaged]);
    }

    // Those that could be read are printed all the same.
    private static void FailIfAny(List<DamagedStreamException> leftOut)
    {
        if (leftOut.Count > 0)
            throw new CommandFailedException($"{leftOut.Count} {(leftOut.Count == 1 ? "mailbox is" : "mailboxes are")} left out: {string.Join("; ", leftOut.Select(damaged => damaged.Message))}");
    }

    private static async Task PrintAsync(MailStore store, CommandRun run, string mailbox, CancellationToken stop)
    {
        var (point, _) = await PointAsync(store, run, stop);
        var export = ExportOf(run);
        var all = await FindAsync(store, run, mailbox, point, stop);
        var mailboxes = all.ConvertAll(one => one.Mailbox);
        if (export is not null)
            await export.BeginAsync(mailboxes, stop);
        foreach (var (_, messages) in all)
        {
            await ListOutput.WriteAsync(
                run, messages.Select(MessageOf).ToAsyncEnumerable(), ["UID", "DATE", "SIZE", "FLAGS", "MESSAGE-ID"],
                row => [Number(row.Uid), row.Date.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), Number(row.Size), PlainLines.OnOneLine(string.Join(' ', row.Flags)), PlainLines.OnOneLine(row.MessageId ?? "")]);
        }
        if (export is not null)
            await export.WriteAsync(store.Log.Contents, mailboxes, stop);
    }

    // Refused before anything is folded, where it can be seen already.
    private static ReplayExport? ExportOf(CommandRun run) =>
        run.Arguments.GetValue(Export) is { } folder ? ReplayExport.Into(folder, run.Arguments.GetValue(Overwrite)) : null;

    // Those of the account's mailboxes that were called so: of one that was closed and opened again there may be several.
    private static async Task<List<(ReplayedMailbox Mailbox, IReadOnlyList<ReplayedMessage> Messages)>> FindAsync(
        MailStore store, CommandRun run, string mailbox, ReplayPoint point, CancellationToken stop)
    {
        using var progress = new Progress("replay", null, count => $"{count:n0} events");
        var replay = ReplayOf(store, run, new Count(progress));
        var (name, names, found) = (MailboxName.Canonical(mailbox), new List<string>(), new List<(ReplayedMailbox, IReadOnlyList<ReplayedMessage>)>());
        await foreach (var key in replay.MailboxesAsync(await AccountsAsync(store, run, stop), stop))
        {
            if (await replay.NameAtAsync(key, point, stop) is not { } then)
                continue;
            names.Add(then);
            if (then != name)
                continue;
            var replayed = new ReplayedMailbox(await replay.AddressAsync(key.Tenant, stop), key, await replay.AtAsync(key, point, stop));
            found.Add((replayed, await new ReplayedMessages(store.Log, replay).OfAsync(replayed, stop)));
        }
        return found.Count > 0
            ? found
            : throw new CommandFailedException($"There was no mailbox {mailbox} then; there {(names.Count == 0 ? "was none" : $"were {string.Join(", ", names.Order(MailboxName.Order))}")}.");
    }

    private static Task WriteAsync(CommandRun run, IReadOnlyList<ReplayedMailbox> mailboxes) => ListOutput.WriteAsync(
        run, mailboxes.Select(RowOf).ToAsyncEnumerable(), ["ACCOUNT", "MAILBOX", "MESSAGES", "UNSEEN", "BYTES", "UIDNEXT", "UIDVALIDITY", "MODSEQ"],
        row => [row.Account, row.Mailbox, Number(row.Messages), Number(row.Unseen), Number(row.Bytes), Number(row.UidNext), Number(row.UidValidity), Number(row.HighestModSeq)]);

    private static async Task ListAsync(MailStore store, CommandRun run, CancellationToken stop)
    {
        var (point, _) = await PointAsync(store, run, stop);
        var export = ExportOf(run);
        var (rows, leftOut, address, account) = (new List<ReplayedMailbox>(), new List<DamagedStreamException>(), "", "");
        using (var progress = new Progress("replay", null, count => $"{count:n0} events"))
        {
            var replay = ReplayOf(store, run, new Count(progress));
            await foreach (var mailbox in replay.MailboxesAsync(await AccountsAsync(store, run, stop), stop))
            {
                if (mailbox.Tenant != account)
                    (account, address) = (mailbox.Tenant, await replay.AddressAsync(mailbox.Tenant, stop));
                try
                {
                    // What is exported is one account's: its messages may stay in memory.
                    var state = export is null ? await replay.HeaderAtAsync(mailbox, point, stop) with { View = null } : await replay.AtAsync(mailbox, point, stop);
                    if (state.Exists)
                        rows.Add(new(address, mailbox, state));
                }
                catch (DamagedStreamException damaged)
                {
                    leftOut.Add(damaged);
                }
            }
        }
        var sorted = ReplayedMailbox.Sorted(rows);
        if (export is not null)
            await export.BeginAsync(sorted, stop);
        await WriteAsync(run, sorted);
        if (export is not null)
            await export.WriteAsync(store.Log.Contents, sorted, stop);
        FailIfAny(leftOut);
    }

    private static StreamReplay ReplayOf(MailStore store, CommandRun run, IProgress<long>? folded) =>
        new(store.Log, run.Arguments.GetValue(Pictures) ? store.Past : null) { Folded = folded };

    private sealed class Count(Progress progress) : IProgress<long>
    {
        public void Report(long value) => progress.Report(value);
    }

    // How far, and the log's end.
    private static async Task<(ReplayPoint Point, long End)> PointAsync(MailStore store, CommandRun run, CancellationToken stop)
    {
        DateTimeOffset? until = run.Arguments.GetValue(Until) is { } text ? await LogTimes.ParseAsync(store.Log, text, stop) : null;
        var (sequence, end) = (run.Arguments.GetValue(Sequence), await store.Log.Reader.EndAsync(stop));
        if (sequence < 1 || sequence > end)
            throw new CommandFailedException($"There is no position {sequence} in the log: it goes from 1 to {end}.");
        return (new(until, sequence), end);
    }

    private static async Task DiffAsync(MailStore store, CommandRun run, string first, string second, CancellationToken stop)
    {
        var (from, to) = (await LogTimes.ParseAsync(store.Log, first, stop), await LogTimes.ParseAsync(store.Log, second, stop));
        if (from > to)
            (from, to) = (to, from);
        var replay = ReplayOf(store, run, null);
        var only = run.Arguments.GetValue(Mailbox) is { } name ? MailboxName.Canonical(name) : null;
        var (rows, account, address, found, different) = (new List<DifferenceRow>(), "", "", only is null, false);
        await foreach (var mailbox in MailboxesAsync(store, run, replay, stop))
        {
            if (mailbox.Tenant != account)
            {
                await WriteAsync(run, rows);
                (account, address) = (mailbox.Tenant, await replay.AddressAsync(mailbox.Tenant, stop));
            }
            if (only is not null && await replay.NameAtAsync(mailbox, new(from, null), stop) != only && await replay.NameAtAsync(mailbox, new(to, null), stop) != only)
                continue;
            found = true;
            var (before, after) = await replay.AtAsync(mailbox, from, to, stop);
            if (ReplayDifference.Of(mailbox, before, after) is { } difference)
            {
                different = true;
                rows.Add(new(
                    address, difference.Mailbox, difference.Was, difference.Change, difference.Gained.ToString(), difference.Lost.ToString(),
                    difference.Flags.ToString()));
            }
        }
        await WriteAsync(run, rows);
        if (!different && found)
            await Console.Error.WriteLineAsync("nothing is different");
        if (!found)
            throw new CommandFailedException($"There was no mailbox {only} at either time. `eventmail replay ADDRESS --until TIME` shows those that there were.");
    }

    // An account's, which are all that is held in memory; they are gone from there then.
    private static async Task WriteAsync(CommandRun run, List<DifferenceRow> rows)
    {
        foreach (var row in rows.OrderBy(row => row.Mailbox, MailboxName.Order))
            await (run.Arguments.GetValue(ListOutput.Json) ? ListOutput.WriteJsonAsync(row) : Console.Out.WriteLineAsync(PlainLines.OnOneLine(LineOf(row))));
        rows.Clear();
    }

    private static async IAsyncEnumerable<StreamKey> MailboxesAsync(
        MailStore store, CommandRun run, StreamReplay replay, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        var accounts = await AccountsAsync(store, run, stop);
        var done = 0L;
        using var progress = new Progress("replay", null, count => $"{count:n0} mailboxes");
        await foreach (var mailbox in replay.MailboxesAsync(accounts, stop))
        {
            progress.Report(done++);
            yield return mailbox;
        }
    }

    internal static string LineOf(DifferenceRow row)
    {
        string?[] words =
        [
            row.Change == "changed" ? null : row.Change,
            row.Was is { } was ? $"renamed from {was}" : null,
            Words(row.Gained, "gained"),
            Words(row.Lost, "lost"),
            Words(row.Flags, "with other flags"),
        ];
        return $"{row.Account} {row.Mailbox}: {string.Join("; ", words.Where(word => word is not null))}";

        static string? Words(string uids, string what) => uids.Length == 0 ? null : $"{UidSet.Parse(uids).Count} {what} (UID {uids})";
    }

    // Null: all.
    private static async Task<IReadOnlyList<string>?> AccountsAsync(MailStore store, CommandRun run, CancellationToken stop)
    {
        if (run.Arguments.GetValue(Address) is not { } address)
            return null;
        var accounts = await new HistoryLog(store.Log, store.Directory).AccountsAsync(address, stop);
        return accounts.Count > 0 ? accounts : throw new CommandFailedException($"There is and was no account {address}. `eventmail account list` shows all.");
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static MailboxRow RowOf(ReplayedMailbox mailbox) => new(
        mailbox.Address, mailbox.State.Name, mailbox.State.Messages, mailbox.State.Unseen, mailbox.State.Bytes, mailbox.State.UidNext,
        mailbox.State.UidValidity, mailbox.State.Version);

    private static MessageLine MessageOf(ReplayedMessage message) => new(
        message.Row.Uid, DateTimeOffset.FromUnixTimeSeconds(message.Row.InternalDate), message.Row.Size, message.Flags, message.MessageId);

    private sealed record MailboxRow(
        string Account, string Mailbox, long Messages, long Unseen, long Bytes, uint UidNext, uint UidValidity, long HighestModSeq);

    private sealed record MessageLine(uint Uid, DateTimeOffset Date, long Size, IReadOnlyList<string> Flags, string? MessageId);

    internal sealed record DifferenceRow(string Account, string Mailbox, string? Was, string Change, string Gained, string Lost, string Flags);
}
