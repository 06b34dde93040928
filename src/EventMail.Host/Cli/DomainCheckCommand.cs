using System.CommandLine;
using System.Net;
using EventMail.Host.Composition;
using EventMail.Host.DomainChecks;

namespace EventMail.Host.Cli;

/// <summary>`domain check`: what a domain's DNS records should be, and what is there.</summary>
internal static class DomainCheckCommand
{
    private static readonly Option<string[]> Address = new("--address")
    {
        Description = "An address that this server sends from and is reached at; those of its name when not given",
        HelpName = "IP",
    };

    public static Command Create()
    {
        var name = new Argument<string>("DOMAIN") { Description = "example.org" };
        var command = new Command("check", "Compares a domain's DNS records with what this server needs, and prints those to publish.") { name, Address, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var setup = await SetupAsync(store, run, run.Arguments.GetValue(name)!, stop);
            await using var names = new NameServices(run.Settings, null, run.Logs);
            var lines = await new DomainCheck(setup, names.Dns, names.Policies, names.Dane, TimeProvider.System).RunAsync(stop);
            foreach (var line in lines)
                await WriteAsync(run, line);
            if (lines.Count(line => line is { IsOptional: false, Status: not CheckStatus.Ok }) is > 0 and var faults)
                throw new CommandFailedException($"{setup.Domain}: {faults} of the records that mail needs are not as they should be.");
        });
        return command;
    }

    private static async Task<DomainSetup> SetupAsync(MailStore store, CommandRun run, string given, CancellationToken stop)
    {
        var addresses = (run.Arguments.GetValue(Address) ?? []).Select(text => IPAddress.TryParse(text, out var address)
            ? address
            : throw new CommandFailedException($"'{text}' is no IP address.", ExitCodes.Usage)).ToList();
        return (await DomainSetups.OfAsync(store, run.Settings, given, addresses, stop)).OrFail(given);
    }

    private static async Task WriteAsync(CommandRun run, CheckLine line)
    {
        if (run.Arguments.GetValue(ListOutput.Json))
        {
            await ListOutput.WriteJsonAsync(new
            {
                line.What,
                Status = Word(line),
                line.Name,
                line.Found,
                line.Why,
                line.Publish,
                Optional = line.IsOptional,
            });
            return;
        }
        await Console.Out.WriteLineAsync($"{Word(line),-8} {line.What,-8} {line.Name}{(line.Found is { Length: > 0 } found ? $"  {found}" : "")}");
        if (line.Why is not null)
            await Console.Out.WriteLineAsync($"         {(line.IsOptional && line.Status == CheckStatus.Missing ? "optional: " : "")}{line.Why}");
        if (line.Publish is not null)
            await Console.Out.WriteLineAsync($"         publish: {line.Publish.Replace("\n", "\n                  ", StringComparison.Ordinal)}");
    }

    private static string Word(CheckLine line) => line.Status.ToString().ToLowerInvariant();
}
