using System.CommandLine;
using EventMail.Domain;
using EventMail.Host.Composition;
using EventMail.Host.Moving.Export;
using EventMail.Projections.Past;
using OwnFolders = EventMail.EventStore.OwnFolders;

namespace EventMail.Host.Cli;

/// <summary>An account's mail, or the log, for other programs (docs/moving.md).</summary>
internal static class ExportCommand
{
    private static readonly Argument<string> Address = new("ADDRESS") { Description = "The account: alice@example.org" };

    private static readonly Option<string?> At = new("--at") { HelpName = "TIME", Description = $"As the mailboxes were then: {TimeArgument.Forms}" };

    public static Command Create() => new("export", "Writes an account's mail, or the log, for other programs.")
    {
        Mail("mbox", "To a file (mboxrd), or without MAILBOX to a folder with one for each mailbox.", (path, single) => new MboxTarget(path, single)),
        Mail("maildir", "To a Maildir (Maildir++), as Dovecot reads it.", (path, _) => new MaildirTarget(path)),
        Mail("eml", "To folders with a file for each message, octet for octet.", (path, _) => new EmlTarget(path)),
        Events(),
    };

    private static Command Mail(string name, string description, Func<string, bool, IExportTarget> open)
    {
        var names = new Argument<string[]>("[MAILBOX] TARGET")
        {
            Arity = new(1, 2),
            Description = "Only this mailbox; and what is to be made, which must not be there",
        };
        var command = new Command(name, description) { Address, names, At };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var words = run.Arguments.GetValue(names)!;
            var mailbox = words.Length > 1 ? words[0] : null;
            await IntoPlaceAsync(words[^1], unfinished => MailAsync(store, run, mailbox, open(unfinished, mailbox is not null), stop));
        });
        return command;
    }

    /// <returns>How many messages are not in it.</returns>
    private static async Task<int> MailAsync(MailStore store, CommandRun run, string? mailbox, IExportTarget target, CancellationToken stop)
    {
        var address = run.Arguments.GetValue(Address)!;
        var account = await store.Directory.FindAsync(address, stop) ?? throw new CommandFailedException($"There is no account {address}.");
        var instant = run.Arguments.GetValue(At) is { } text ? TimeArgument.Parse(text) : DateTimeOffset.UtcNow;
        var then = (await new PastMailboxes(store.Log).AtAsync(account.Account, instant, stop)).OrFail(address);
        IReadOnlyList<PastMailbox> mailboxes = mailbox is null ? then.Mailboxes : [then.Find(mailbox).OrFail(mailbox)];
        var export = new ExportRun(store.Log, target);
        await using (target as IAsyncDisposable)
            await export.RunAsync(mailboxes, stop);
        await Console.Out.WriteLineAsync($"{Amount.Of(export.Messages, "message")} of {mailboxes.Count} mailboxes as of {PastInstant.Of(instant)}, {ListOutput.Size(export.Octets)}.");
        foreach (var renamed in target.Renamed)
            await Console.Error.WriteLineAsync($"mailbox {renamed.Name} is in {Path.GetRelativePath(target.Unfinished, renamed.Path)}");
        foreach (var missing in export.Missing)
            await Console.Error.WriteLineAsync($"left out: {missing}");
        return export.Missing.Count;
    }

    private static Command Events()
    {
        var names = new Argument<string[]>("[ADDRESS] FILE") { Arity = new(1, 2), Description = "Only this account's; and the file, which must not be there" };
        var command = new Command("events", "To a file of canonical lines, whose hashes anybody can check. Ends with 4 where the log was altered; the file is there all the same.") { names };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var words = run.Arguments.GetValue(names)!;
            var tenant = words.Length == 1 ? null
                : (await store.Directory.FindAsync(words[0], stop) ?? throw new CommandFailedException($"There is no account {words[0]}.")).Account;
            var damages = new ExportDamages();
            await IntoPlaceAsync(words[^1], async unfinished =>
            {
                var trailer = await EventExport.WriteAsync(store.Log, tenant, unfinished, damages, stop);
                await EventExport.VerifyAsync(unfinished, trailer, damages, stop);
                await Console.Out.WriteLineAsync($"{Amount.Of(trailer.Events, "event")} up to position {trailer.Last}, root {trailer.Root}.");
                return 0;
            });
            await TellAsync(damages, words[^1]);
        });
        return command;
    }

    /// <exception cref="CommandFailedException">The log was altered.</exception>
    private static async Task TellAsync(ExportDamages damages, string file)
    {
        foreach (var damage in damages.First)
            await Console.Error.WriteLineAsync(Logs.PlainLines.OnOneLine(damage));
        if (damages.Count > damages.First.Count)
            await Console.Error.WriteLineAsync($"and {damages.Count - damages.First.Count} more");
        if (damages.Count > 0)
            throw new CommandFailedException(
                $"{file} is written and has the log as it is now, which is not as it was written. Keep a copy of the database and of the checkpoints before anything else is done; `eventmail audit verify` names every event that was altered.",
                ExitCodes.Altered);
    }

    /// <summary>The target is there whole, or not at all.</summary>
    /// <param name="write">Answers how much could not be written.</param>
    private static async Task IntoPlaceAsync(string target, Func<string, Task<int>> write)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        if (Path.Exists(path))
            throw new CommandFailedException($"{target} is there already, and is not touched; choose another name.");
        var parent = Path.GetDirectoryName(path)!;
        OwnFolders.Make(parent);
        int missing;
        var unfinished = $"{path}.unfinished-{Environment.ProcessId}";
        try
        {
            missing = await write(unfinished);
            if (Directory.Exists(unfinished))
            {
                foreach (var folder in Directory.EnumerateDirectories(unfinished, "*", SearchOption.AllDirectories).Append(unfinished))
                    OwnFolders.Sync(folder);
                Directory.Move(unfinished, path);
            }
            else
                File.Move(unfinished, path, overwrite: false);
            OwnFolders.Sync(parent);
        }
        catch
        {
            if (Directory.Exists(unfinished))
                Directory.Delete(unfinished, recursive: true);
            File.Delete(unfinished);
            throw;
        }
        if (missing > 0)
            throw new CommandFailedException($"{Amount.Of(missing, "message")} left out of {target}; which and why stands above.");
    }
}
