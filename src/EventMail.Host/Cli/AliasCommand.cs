using System.CommandLine;

namespace EventMail.Host.Cli;

internal static class AliasCommand
{
    public static Command Create() => new("alias", "Addresses that lead to others here.") { Add(), List(), Remove() };

    private static Command Add()
    {
        var address = new Argument<string>("ADDRESS") { Description = "sales@example.org" };
        var targets = new Argument<string[]>("TARGET") { Arity = ArgumentArity.OneOrMore, Description = "Accounts or aliases here" };
        var command = new Command("add", "Adds an alias.") { address, targets };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var name = run.Arguments.GetValue(address)!;
            (await store.Domains.AddAliasAsync(name, run.Arguments.GetValue(targets)!, StoreCommand.Operator, stop)).OrFail(name);
            await Console.Out.WriteLineAsync($"alias {name} leads to {string.Join(", ", run.Arguments.GetValue(targets)!)}");
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Prints all aliases.") { ListOutput.Json };
        StoreCommand.SetAction(command, (store, run, stop) => ListOutput.WriteAsync(
            run, store.Queries.AliasesAsync(stop), ["ALIAS", "LEADS TO"], alias => [alias.Address, string.Join(", ", alias.Targets)]));
        return command;
    }

    private static Command Remove()
    {
        var address = new Argument<string>("ADDRESS") { Description = "sales@example.org" };
        var command = new Command("remove", "Removes an alias.") { address };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            (await store.Domains.RemoveAliasAsync(run.Arguments.GetValue(address)!, StoreCommand.Operator, stop)).OrFail(run.Arguments.GetValue(address)!);
            await Console.Out.WriteLineAsync($"alias {run.Arguments.GetValue(address)} removed");
        });
        return command;
    }
}
