using System.CommandLine;
using System.Globalization;
using EventMail.Host.Composition;

namespace EventMail.Host.Cli;

/// <summary>Legal holds: what they are on is neither released nor erased.</summary>
internal static class HoldCommand
{
    private static readonly Argument<string> Case = new("CASE") { Description = "What the hold is called" };

    private static readonly Option<string?> Account = new("--account") { HelpName = "ADDRESS", Description = "An account's mail; a closed one is found by its id as well" };
    private static readonly Option<string?> Mailbox = new("--mailbox") { HelpName = "NAME", Description = "Only this mailbox of the account; a deleted one by its id" };
    private static readonly Option<bool> All = new("--all") { Description = "Everybody's mail" };

    public static Command Create() => new("hold", "Legal holds: nothing of what they are on is released or erased, whatever rules and orders say.") { Place(), Release(), List() };

    private static Command Place()
    {
        var reason = new Option<string?>("--reason") { HelpName = "TEXT", Description = "Stands in the log" };
        var command = new Command("place", "Places a hold on an account, a mailbox or everything. What was in it before is held as well, as far as it is still kept.")
        {
            Case, Account, Mailbox, All, reason,
        };
        Validate(command);
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = run.Arguments.GetValue(Case)!;
            var (account, mailbox) = await ScopeAsync(store, run, stop);
            (await store.Retention.PlaceAsync(name, account, mailbox, run.Arguments.GetValue(reason), StoreCommand.Operator, stop)).OrFail(name);
            await Console.Out.WriteLineAsync($"hold {name} placed on {Text(run)}");
        });
        return command;
    }

    private static Command Release()
    {
        var command = new Command("release", "Ends a hold. What it kept is released by the rules again, from the next run on.") { Case, Account, Mailbox, All };
        Validate(command);
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = run.Arguments.GetValue(Case)!;
            var (account, mailbox) = await ScopeAsync(store, run, stop);
            (await store.Retention.ReleaseAsync(name, account, mailbox, StoreCommand.Operator, stop)).OrFail(name);
            await Console.Out.WriteLineAsync($"hold {name} on {Text(run)} released");
        });
        return command;
    }

    private sealed record Row(string Case, string? Account, string? Address, Guid? Mailbox, string? Reason, DateTimeOffset Placed);

    private static Command List()
    {
        var command = new Command("list", "Prints the holds that stand. `history` shows who placed them, and those that were released.") { ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var names = new AccountNames(store.Log.DataSource);
            var rows = new List<Row>();
            foreach (var (account, hold) in (await store.Retention.ReadAsync(stop)).Holds)
                rows.Add(new(hold.Case, account, account is null ? null : await names.AddressAsync(account, stop), hold.Mailbox, hold.Reason, hold.Placed));
            await ListOutput.WriteAsync(
                run, rows.OrderBy(row => row.Placed).ToAsyncEnumerable(), ["CASE", "ACCOUNT", "MAILBOX", "PLACED", "REASON"],
                row => [row.Case, row.Address ?? row.Account ?? "all", row.Mailbox?.ToString() ?? "all",
                    row.Placed.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), row.Reason ?? ""]);
        });
        return command;
    }

    private static void Validate(Command command) => command.Validators.Add(result =>
    {
        if (result.GetValue(All) == (result.GetValue(Account) is not null))
            result.AddError("Say either --account ADDRESS or --all.");
        else if (result.GetValue(All) && result.GetValue(Mailbox) is not null)
            result.AddError("--mailbox is one of an account: say --account ADDRESS.");
    });

    private static async Task<(string? Account, Guid? Mailbox)> ScopeAsync(MailStore store, CommandRun run, CancellationToken stop)
    {
        if (run.Arguments.GetValue(All))
            return (null, null);
        var account = await RetentionScope.AccountAsync(store, run.Arguments.GetValue(Account)!, stop);
        return (account, await RetentionScope.MailboxAsync(store, account, run.Arguments.GetValue(Mailbox), stop));
    }

    private static string Text(CommandRun run) =>
        run.Arguments.GetValue(All) ? "everything" : $"{run.Arguments.GetValue(Account)}{(run.Arguments.GetValue(Mailbox) is { } mailbox ? $" {mailbox}" : "")}";
}
