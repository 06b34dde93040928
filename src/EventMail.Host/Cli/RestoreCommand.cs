using System.CommandLine;
using EventMail.Domain;
using EventMail.Host.Composition;
using EventMail.Host.Logs;
using EventMail.Host.Restoring;
using EventMail.Projections.History;
using EventMail.Projections.Past;
using EventMail.Projections.Restoring;

namespace EventMail.Host.Cli;

/// <summary>Undo, for mailboxes, accounts and what a session did.</summary>
internal static class RestoreCommand
{
    private static readonly Argument<string?> Address = new("ADDRESS")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "An account; one that was closed is opened again. Only with --session it may be left out",
    };

    private static readonly Argument<string?> Mailbox = new("MAILBOX")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "As it was called then; all that there were, if left out",
    };

    private static readonly Option<string?> To = new("--to") { HelpName = "TIME", Description = $"As of when: {TimeArgument.Forms}" };
    private static readonly Option<string?> Session = new("--session") { HelpName = "ID", Description = "Undo what this session did, as `history` names it" };
    private static readonly Option<string[]?> Messages = new("--messages")
    {
        HelpName = "MESSAGES",
        Description = "Only these, by their UIDs of then in MAILBOX (3,7:12), by Message-ID, email id or SHA-256; may be said again",
    };

    private static readonly Option<bool> KeepFlags = new("--keep-flags") { Description = "Messages that are still there keep the flags that they have" };
    private static readonly Option<bool> Moved = new("--moved") { Description = "Also what was moved and is still in another mailbox comes back, as a copy" };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be done" };

    public static Command Create()
    {
        var command = new Command(
            "restore", "Makes mailboxes again what they were. Nothing of the log is changed: what is missing comes back on top of it.")
        {
            Address, Mailbox, To, Session, Messages, KeepFlags, Moved, DryRun, ListOutput.Json,
        };
        command.Validators.Add(result =>
        {
            // Whether they are there: what they say may be no value, and is refused for that.
            var (to, session) = (result.GetResult(To), result.GetResult(Session));
            if (to is null == session is null)
                result.AddError("Say either --to TIME or --session ID.");
            else if (session is not null && (result.GetValue(Mailbox) is not null || result.GetResult(Messages) is not null))
                result.AddError("--session undoes all that the session did: it takes no MAILBOX and no --messages.");
            else if (to is not null && result.GetValue(Address) is null)
                result.AddError("Say which account: restore ADDRESS --to TIME.");
        });
        StoreCommand.SetAction(command, (store, run, stop) =>
            run.Arguments.GetValue(Session) is { } session ? UndoAsync(store, run, session, stop) : RestoreAsync(store, run, stop));
        return command;
    }

    private static async Task RestoreAsync(MailStore store, CommandRun run, CancellationToken stop)
    {
        var (address, dryRun) = (run.Arguments.GetValue(Address)!, run.Arguments.GetValue(DryRun));
        var instant = TimeArgument.Parse(run.Arguments.GetValue(To)!);
        var messages = RestoreMessages.Parse(run.Arguments.GetValue(Messages) ?? []);
        if (messages.Uids is not null && run.Arguments.GetValue(Mailbox) is null)
            throw new CommandFailedException("UIDs are those of one mailbox: say which, restore ADDRESS MAILBOX --messages 3,7:12.", ExitCodes.Usage);
        var account = await AccountAsync(store, address, stop, instant);
        var contents = await messages.ContentsAsync(store.History, account, stop);
        var wish = new RestoreWish(account, instant)
        {
            Mailbox = run.Arguments.GetValue(Mailbox),
            Messages = messages.Uids,
            Contents = contents,
            Flags = !run.Arguments.GetValue(KeepFlags),
            Moved = run.Arguments.GetValue(Moved),
            DryRun = dryRun,
        };
        using var told = new RestoreTeller(run);
        var restored = (await new AccountRestore(store) { Progress = told }.RunAsync(wish, StoreCommand.Operator, told, stop)).OrFail(address);
        if (restored.Reopened)
        {
            await Console.Error.WriteLineAsync(dryRun
                ? $"{address} is closed and would be opened again."
                : $"{address} was closed and is open again. Nobody can log in to it before `eventmail account password {address}`.");
        }
        await EndAsync(run, restored.Mailboxes, false, $"of {PastInstant.Of(instant)} {(dryRun ? "would be" : "is")} there");
    }

    private static async Task UndoAsync(MailStore store, CommandRun run, string session, CancellationToken stop)
    {
        var account = run.Arguments.GetValue(Address) is { } address ? await AccountAsync(store, address, stop) : null;
        using var told = new RestoreTeller(run);
        var undone = await new AccountRestore(store) { Progress = told }.UndoAsync(session, account, run.Arguments.GetValue(DryRun), StoreCommand.Operator, told, stop);
        if (!undone.Found)
            throw new CommandFailedException($"No session {session} is in the log{(account is null ? "" : " of this account")}. `eventmail history` shows the sessions' ids.");
        if (!run.Arguments.GetValue(ListOutput.Json))
        {
            if (undone.Subscriptions > 0)
                await Console.Out.WriteLineAsync($"{Amount.Of(undone.Subscriptions, "subscription")} as before");
            if (undone.Annotations > 0)
                await Console.Out.WriteLineAsync($"{Amount.Of(undone.Annotations, "annotation")} as before");
            if (undone.Cancelled > 0)
                await Console.Out.WriteLineAsync($"{Amount.Of(undone.Cancelled, "message")} that it submitted taken out of the queue");
            if (undone.Sent > 0)
                await Console.Out.WriteLineAsync($"gone out, which cannot be called back: {Amount.Of(undone.Sent, "message")} that it submitted");
            if (undone.OtherAccounts > 0)
                await Console.Out.WriteLineAsync($"not looked at: what it wrote in {Amount.Of(undone.OtherAccounts, "other account")}; without ADDRESS all is undone");
            foreach (var made in undone.Made)
                await Console.Out.WriteLineAsync(PlainLines.OnOneLine(LineOf(made)));
            if (undone.Left.Count > 0)
                await Console.Out.WriteLineAsync($"not undone: what it wrote to streams of {string.Join(", ", undone.Left)}; see `eventmail history`");
        }
        else
        {
            await ListOutput.WriteJsonAsync(new UndoneElsewhere(undone.Subscriptions, undone.Annotations, undone.Cancelled, undone.Sent, undone.OtherAccounts, undone.Left, undone.Made));
        }
        await EndAsync(run, undone.Mailboxes, undone.Subscriptions + undone.Annotations + undone.Cancelled > 0, $"{(undone.Made.Count > 0 ? "else " : "")}{(run.Arguments.GetValue(DryRun) ? "would be" : "is")} as if session {session} had not been");
    }

    // What --json says of an undone session behind the lines of its mailboxes.
    private sealed record UndoneElsewhere(int Subscriptions, int Annotations, int Cancelled, int Sent, int OtherAccounts, IReadOnlyList<string> Left, IReadOnlyList<MadeAccount> Made);

    private static string LineOf(MadeAccount made) => made.Open
        ? $"account {made.Address} was made by it and stays, with its mailboxes and all mail in them: `eventmail account suspend {made.Address}` shuts it, `eventmail account remove {made.Address}` closes it and deletes its mailboxes"
        : $"account {made.Address} was made by it and is closed; nothing is undone in it";

    // The account that has the address, or the last one that had it.
    private static async Task<string> AccountAsync(MailStore store, string address, CancellationToken stop, DateTimeOffset? at = null) =>
        await new AccountRestore(store).FindAsync(address, stop, at)
            ?? throw new CommandFailedException($"There is and was no account {address}. `eventmail account list` shows all.");

    // changed: beside mailboxes something is as it was.
    private static async Task EndAsync(CommandRun run, IReadOnlyList<RestoredMailbox> lines, bool changed, string what)
    {
        var refused = lines.Count(line => line.Refused is not null);
        if (!run.Arguments.GetValue(ListOutput.Json))
            await Console.Out.WriteLineAsync(
                changed && lines.All(line => line.IsUnchanged) ? $"all {what}"
                : lines.All(line => line.IsUnchanged) ? lines.Any(line => line.Elsewhere + line.Released > 0) ? "nothing else is missing" : "nothing is missing"
                : $"{lines.Count - refused} of {lines.Count} mailboxes: all {what}, {Amount.Of(lines.Sum(line => line.Restored), "message")} back");
        if (refused > 0)
            throw new CommandFailedException($"{refused} mailboxes could not be restored: the lines above say why.");
    }
}
