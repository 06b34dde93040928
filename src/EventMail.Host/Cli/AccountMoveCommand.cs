using System.CommandLine;
using System.Globalization;
using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Moving.Backup;
using EventMail.Projections.Moving;

namespace EventMail.Host.Cli;

/// <summary>`account move`: to another database (docs/moving.md).</summary>
internal static class AccountMoveCommand
{
    private static readonly Argument<string> Address = AccountCommand.Address();

    private static readonly Option<string> To = new("--to")
    {
        HelpName = "FOLDER",
        Description = "The data folder of the server that it moves to, with its keys and its eventmail.json (which may name any database)",
        Required = true,
    };

    private static readonly Option<string?> ToConfig = new("--to-config") { HelpName = "FILE", Description = "That server's settings file, where it is not in its data folder" };

    private static readonly Option<bool> Cancel = new("--cancel") { Description = "Takes back a move that was ended: the account is written to here again, and what was copied is deleted" };

    public static System.CommandLine.Command Create()
    {
        var command = new System.CommandLine.Command("move", "Takes an account with its whole log to another database while it is read. Run again, it goes on where it was ended.") { Address, To, ToConfig, Cancel };
        StoreCommand.SetAction(command, RunAsync);
        return command;
    }

    private static async Task RunAsync(MailStore store, CommandRun run, CancellationToken stop)
    {
        var name = AccountCommand.Named(run, Address);
        var settings = SettingsOf(run);
        await using var database = await HostDatabase.AttachAsync(settings, run.Logs, stop);
        await using var there = await MailStore.OpenAsync(settings, database, run.Logs, stop);
        var account = await store.Directory.FindAsync(name, stop) ?? throw new CommandFailedException($"There is no account {name}.");
        using var progress = new StageProgress("move");
        var move = new AccountMove(
            SideOf(store, run.Settings), SideOf(there, settings), account.Account, StoreCommand.Operator, at => progress.Report(new(at.Stage, at.Done, at.Total)));
        try
        {
            if (run.Arguments.GetValue(Cancel))
            {
                await move.CancelAsync(stop);
                await Console.Out.WriteLineAsync($"account {account.Address} stays here");
                return;
            }
            var moved = await move.RunAsync(stop);
            progress.Dispose();
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"account {account.Address} moved to {settings.EffectiveHostname}: {Amount.Of(moved.Contents, "content")} brought in this run, read-only for {moved.ReadOnly.TotalMilliseconds:0} ms ({Amount.Of(moved.HeldEvents, "event")})"));
            await TellLeftAsync(moved.Left, account.Address);
            if (run.Settings.Retention.Expunged > settings.Retention.Expunged)
                await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                    $"where no rule says otherwise, what is deleted is kept {settings.Retention.Expunged.TotalDays:0.#} days there and {run.Settings.Retention.Expunged.TotalDays:0.#} here: eventmail retention set {account.Address}, there"));
        }
        catch (Exception e) when (e is TenantMoveException or ContentUnreadableException or WrappingKeyMissingException)
        {
            throw new CommandFailedException(e.Message);
        }
    }

    private static MoveSide SideOf(MailStore store, HostSettings settings) =>
        new(store.Log, store.Directory, store.Retention, store.Erasures, store.Webhooks, settings.EffectiveHostname);

    private static async Task TellLeftAsync(MoveLeft left, string address)
    {
        foreach (var alias in left.Aliases)
            await Console.Out.WriteLineAsync($"alias {alias} leads to it here and is not there: eventmail alias add {alias} {address}, there");
        foreach (var url in left.Webhooks)
            await Console.Out.WriteLineAsync($"webhook {url} tells of this account here: eventmail webhook add {url} --account {address}, there");
        if (left.Erased.Count > 0)
            await Console.Out.WriteLineAsync($"erased here, and still stored there since it was there before: eventmail erase content {string.Join(' ', left.Erased)}, there");
    }

    private static HostSettings SettingsOf(CommandRun run)
    {
        var folder = run.Arguments.GetValue(To)!;
        return Directory.Exists(folder)
            ? new SettingsSources(folder, run.Arguments.GetValue(ToConfig)).Load()
            : throw new CommandFailedException($"There is no data folder {folder}: make the server there first.", ExitCodes.Usage);
    }
}
