using System.CommandLine;
using EventMail.Domain;
using EventMail.Host.Composition;
using EventMail.Projections.Accounts;

namespace EventMail.Host.Cli;

/// <summary>`account send-as`: whom an account may send as besides itself and its aliases.</summary>
internal static class SendAsCommand
{
    public static Command Create() => new("send-as", "Whom an account may send as besides itself and the aliases that lead to it.")
    {
        Change("add", "Lets an account send as an address (with its subaddresses), or as all addresses of a domain (@example.org).", "may send as",
            (store, address, sender, stop) => store.Accounts.GrantSendAsAsync(address, sender, StoreCommand.Operator, stop)),
        Change("remove", "Takes that permission back.", "may no longer send as",
            (store, address, sender, stop) => store.Accounts.RevokeSendAsAsync(address, sender, StoreCommand.Operator, stop)),
        List(),
    };

    private static Command Change(
        string name, string description, string done, Func<MailStore, string, string, CancellationToken, Task<Result<AccountEntry>>> change)
    {
        var address = AccountCommand.Address();
        var sender = new Argument<string>("SENDER") { Description = "info@example.org, or @example.org" };
        var command = new Command(name, description) { address, sender };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var named = AccountCommand.Named(run, address);
            var other = run.Arguments.GetValue(sender)!;
            var account = (await change(store, named, other, stop)).OrFail(named);
            await Console.Out.WriteLineAsync($"account {account.Address} {done} {other}");
        });
        return command;
    }

    private static Command List()
    {
        var address = AccountCommand.Address();
        var command = new Command("list", "Prints whom an account may send as.") { address };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = AccountCommand.Named(run, address);
            var account = await store.Directory.FindAsync(name, stop) ?? throw new CommandFailedException($"There is no account {name}.");
            foreach (var sender in account.SendAs)
                await Console.Out.WriteLineAsync(sender);
        });
        return command;
    }
}
