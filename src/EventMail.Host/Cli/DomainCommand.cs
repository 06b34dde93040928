using System.CommandLine;

namespace EventMail.Host.Cli;

internal static class DomainCommand
{
    public static Command Create() => new("domain", "Mail domains: what mail is taken for.") { Add(), List(), Remove(), DkimCommand.Create(), DomainCheckCommand.Create() };

    private static Command Add()
    {
        var name = Name();
        var command = new Command("add", "Takes mail for a domain from now on.") { name };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            (await store.Domains.AddDomainAsync(run.Arguments.GetValue(name)!, StoreCommand.Operator, stop)).OrFail(run.Arguments.GetValue(name)!);
            await Console.Out.WriteLineAsync($"mail domain {run.Arguments.GetValue(name)} added");
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Prints all mail domains.") { ListOutput.Json };
        StoreCommand.SetAction(command, (store, run, stop) => ListOutput.WriteAsync(
            run, store.Queries.DomainsAsync(stop), ["DOMAIN", "ADDRESSES"], domain => [domain.Name, $"{domain.Addresses}"]));
        return command;
    }

    private static Command Remove()
    {
        var name = Name();
        var command = new Command("remove", "Takes no more mail for a domain. Refused while it has accounts or aliases.") { name };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            (await store.Domains.RemoveDomainAsync(run.Arguments.GetValue(name)!, StoreCommand.Operator, stop)).OrFail(run.Arguments.GetValue(name)!);
            await Console.Out.WriteLineAsync($"mail domain {run.Arguments.GetValue(name)} removed");
        });
        return command;
    }

    private static Argument<string> Name() => new("DOMAIN") { Description = "example.org" };
}
