using System.CommandLine;
using EventMail.Domain.Mailboxes;
using EventMail.Domain.Mailstores;
using EventMail.Host.Composition;
using EventMail.Host.Moving.Import;
using EventMail.Protocols.Imap.Client;

namespace EventMail.Host.Cli;

/// <summary>Mail from elsewhere into an account (docs/moving.md).</summary>
internal static class ImportCommand
{
    private static readonly Argument<string> Address = new("ADDRESS") { Description = "The account it is for: alice@example.org" };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Reads and counts everything, and changes nothing" };

    private static readonly Option<bool> IgnoreQuota = new("--ignore-quota") { Description = "Goes on beyond the account's quota" };

    public static Command Create() => new("import", "Brings mail from elsewhere into an account; may be repeated, and goes on where it was ended.")
    {
        Mbox(), Maildir(), Imap(),
    };

    private static Command Mbox()
    {
        var file = new Argument<string>("FILE") { Description = "A file with messages one after the other (RFC 4155)" };
        var mailbox = new Argument<string>("MAILBOX") { Description = "Made where it is missing", DefaultValueFactory = _ => MailboxName.Inbox };
        var format = new Option<MboxFormat>("--format")
        {
            Description = "How lines that begin with \"From \" were quoted, where auto guesses wrong",
            DefaultValueFactory = _ => MboxFormat.Auto,
        };
        var command = new Command("mbox", "From a file of Unix programs, Thunderbird or another export.") { file, Address, mailbox, format, DryRun, IgnoreQuota };
        SetAction(command, LineEnds.Files, (run, _) =>
        {
            var path = run.Arguments.GetValue(file)!;
            if (!File.Exists(path))
                throw new CommandFailedException($"There is no file {path}.", ExitCodes.Usage);
            return Task.FromResult<IImportSource>(new MboxSource(path, run.Arguments.GetValue(mailbox)!, run.Arguments.GetValue(format)));
        });
        return command;
    }

    private static Command Maildir()
    {
        var folder = new Argument<string>("FOLDER") { Description = "With its cur and new, and the folders beside them" };
        var command = new Command("maildir", "From a Maildir (Maildir++), as Dovecot, Courier or Postfix keep it.") { folder, Address, DryRun, IgnoreQuota };
        SetAction(command, LineEnds.Files, (run, _) =>
        {
            var path = run.Arguments.GetValue(folder)!;
            return Directory.Exists(path)
                ? Task.FromResult<IImportSource>(MaildirSource.Open(path))
                : throw new CommandFailedException($"There is no folder {path}.", ExitCodes.Usage);
        });
        return command;
    }

    private static Command Imap()
    {
        var command = ImportImapCommand.Create(Address, DryRun, IgnoreQuota);
        SetAction(command, LineEnds.AsTheyAre, ImportImapCommand.OpenAsync);
        return command;
    }

    private static void SetAction(Command command, LineEnds lines, Func<CommandRun, CancellationToken, Task<IImportSource>> open) =>
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var address = run.Arguments.GetValue(Address)!;
            var account = await store.Directory.FindAsync(address, stop) ?? throw new CommandFailedException($"There is no account {address}.");
            await using var source = await open(run, stop);
            var options = new ImportOptions(
                run.Settings.Imap.MaxMessageSize, run.Arguments.GetValue(DryRun), run.Arguments.GetValue(IgnoreQuota), lines);
            await RunAsync(store, source, account.Account, options, stop);
        });

    private static async Task RunAsync(MailStore store, IImportSource source, string account, ImportOptions options, CancellationToken stop)
    {
        var import = new ImportRun(store, options, StoreCommand.Operator);
        var finished = false;
        try
        {
            await import.RunAsync(source, account, stop);
            finished = true;
        }
        catch (ImapClientException e)
        {
            throw new CommandFailedException($"{e.Message}. The same command goes on where this one ended.");
        }
        finally
        {
            await import.Report.WriteAsync(options.DryRun, interrupted: !finished);
        }
        if (import.Report.Skipped > 0)
            throw new CommandFailedException($"{import.Report.Skipped} could not be imported; what they are and why stands above.");
    }
}
