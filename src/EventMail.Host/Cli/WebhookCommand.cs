using System.CommandLine;
using System.Globalization;
using EventMail.Projections.Webhooks;

namespace EventMail.Host.Cli;

/// <summary>Webhooks: who is told of what is in the log.</summary>
internal static class WebhookCommand
{
    private const int MaxShown = 1000;

    private static readonly Argument<string> Id = new("ID") { Description = "As `webhook list` prints it" };

    public static Command Create() => new("webhook", "URLs that are told of events as they come into the log.") { Add(), List(), Remove(), Dead(), Retry(), Drop() };

    private static Command Add()
    {
        var url = new Argument<string>("URL") { Description = "https, on the Internet or in a network of Webhooks:AllowedNetworks; http on this machine, where that has it" };
        var types = new Option<string[]>("--types")
        {
            HelpName = "TYPES",
            Description = "Types of events, separated by commas (docs/events.md); without it all",
            AllowMultipleArgumentsPerToken = true,
        };
        var account = new Option<string?>("--account") { HelpName = "ADDRESS", Description = "Only events of this account" };
        var command = new Command("add", "Tells a URL of events from now on. Prints once the secret that its requests are signed with. They have people's addresses in them.")
        {
            url, types, account, ListOutput.Json,
        };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var owner = default(string);
            if (run.Arguments.GetValue(account) is { } address)
                owner = (await store.Directory.FindAsync(address, stop) ?? throw new CommandFailedException($"There is no account {address}.")).Account;
            string[] wanted = [.. (run.Arguments.GetValue(types) ?? []).SelectMany(text => text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))];
            var added = (await store.Webhooks.AddAsync(run.Arguments.GetValue(url)!, wanted.Length > 0 ? wanted : null, owner, StoreCommand.Operator, stop)).OrFail("webhook");
            if (run.Arguments.GetValue(ListOutput.Json))
                await ListOutput.WriteJsonAsync(added);
            else
                await Console.Out.WriteLineAsync($"webhook {added.Id} added; its requests are signed with this secret, shown this once:\n{added.Secret}");
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Prints the webhooks and up to where each was told of the log.") { ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var rows = new List<Row>();
            foreach (var hook in await store.Webhooks.ListAsync(stop))
                rows.Add(new(hook.Id, hook.Url, hook.Types ?? [], hook.Account, hook.Added, await store.Webhooks.Progress.PositionAsync(hook.Id, stop) ?? hook.From));
            await ListOutput.WriteAsync(
                run, rows.ToAsyncEnumerable(), ["ID", "URL", "TYPES", "ACCOUNT", "POSITION"],
                row => [row.Id, row.Url, row.Types.Count == 0 ? "all" : string.Join(',', row.Types), row.Account ?? "all", Number(row.Position)]);
        });
        return command;
    }

    private sealed record Row(string Id, string Url, IReadOnlyList<string> Types, string? Account, DateTimeOffset Added, long Position);

    private static Command Remove()
    {
        var command = new Command("remove", "Tells a webhook nothing more, and forgets its dead letters.") { Id };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var id = run.Arguments.GetValue(Id)!;
            (await store.Webhooks.RemoveAsync(id, StoreCommand.Operator, stop)).OrFail(id);
            await Console.Out.WriteLineAsync($"webhook {id} removed");
        });
        return command;
    }

    private static Command Dead()
    {
        var id = new Argument<string?>("ID") { Arity = ArgumentArity.ZeroOrOne, Description = "Of one webhook; without it of all" };
        var command = new Command("dead", "Prints the events that webhooks did not take.") { id, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) => await ListOutput.WriteAsync(
            run, (await store.Webhooks.Progress.DeadAsync(run.Arguments.GetValue(id), again: false, MaxShown, stop)).ToAsyncEnumerable(),
            ["WEBHOOK", "POSITION", "TYPE", "FAILED", "ATTEMPTS", "REASON"],
            (DeadLetter letter) => [letter.Hook, Number(letter.Position), letter.Type, letter.Failed.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                Number(letter.Attempts), letter.Again ? $"{letter.Reason} (to be tried again)" : letter.Reason]));
        return command;
    }

    private static Command Retry()
    {
        var position = new Option<long?>("--position") { HelpName = "N", Description = "Only this one" };
        var command = new Command("retry", "Tries dead letters once more, within seconds while a server runs.") { Id, position };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var marked = await store.Webhooks.Progress.RetryAsync(run.Arguments.GetValue(Id)!, run.Arguments.GetValue(position), stop);
            if (marked == 0)
                throw new CommandFailedException("There is no such dead letter; `eventmail webhook dead` lists them.");
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{marked} to be tried again"));
        });
        return command;
    }

    private static Command Drop()
    {
        var position = new Option<long?>("--position") { HelpName = "N", Description = "Only this one" };
        var command = new Command("drop", "Gives dead letters up: the webhook is never told of these events.") { Id, position };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var dropped = await store.Webhooks.Progress.DropAsync(run.Arguments.GetValue(Id)!, run.Arguments.GetValue(position), stop);
            if (dropped == 0)
                throw new CommandFailedException("There is no such dead letter; `eventmail webhook dead` lists them.");
            await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{dropped} dropped"));
        });
        return command;
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
