using System.CommandLine;
using System.Globalization;
using EventMail.Domain.Accounts;
using EventMail.Host.Composition;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Host.Cli;

/// <summary>`domain dkim`: the keys that sign a domain's mail.</summary>
internal static class DkimCommand
{
    private const string List = "list";
    private const string Add = "add";
    private const string Activate = "activate";
    private const string Retire = "retire";
    private const string Both = "both";

    private static readonly Option<string?> Selector = new("--selector")
    {
        Description = "the key's name in the DNS; for a new one default sYYYYMM-ALGORITHM, with --algorithm both the algorithm is added to it",
    };

    private static readonly Option<string> Algorithm = new("--algorithm")
    {
        Description = "of a new key: rsa (2048 bits; all receivers know it), ed25519, or both (one of each, mail gets two signatures)",
        DefaultValueFactory = _ => "rsa",
    };

    private static readonly Option<bool> Force = new("--force") { Description = "activates a key without looking for its record in the DNS" };

    public static Command Create()
    {
        Algorithm.AcceptOnlyFromAmong("rsa", "ed25519", Both);
        var name = new Argument<string>("DOMAIN") { Description = "example.org" };
        var action = new Argument<string?>("ACTION")
        {
            Description = "list, add, activate, retire; without one a first key is made, or the keys are listed",
            Arity = ArgumentArity.ZeroOrOne,
        };
        action.AcceptOnlyFromAmong(List, Add, Activate, Retire);
        var command = new Command("dkim", "Keys that sign a domain's mail (DKIM), and their DNS records.") { name, action, Selector, Algorithm, Force, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var domain = run.Arguments.GetValue(name)!;
            var keys = (await store.DkimKeys.ListAsync(domain, stop)).OrFail(domain);
            var first = Array.TrueForAll([.. keys], key => key.Status == DkimKeyStatus.Retired);
            await ((run.Arguments.GetValue(action) ?? (first ? Add : List)) switch
            {
                Add => AddAsync(store, run, domain, keys, stop),
                Activate => ActivateAsync(store, run, domain, keys, stop),
                Retire => RetireAsync(store, run, domain, keys, stop),
                _ => ListAsync(run, domain, keys),
            });
        });
        return command;
    }

    private static async Task AddAsync(MailStore store, CommandRun run, string domain, IReadOnlyList<DkimKey> keys, CancellationToken stop)
    {
        var algorithm = run.Arguments.GetValue(Algorithm)!;
        foreach (var type in algorithm == Both ? ["rsa", "ed25519"] : (string[])[algorithm])
        {
            var selector = SelectorOf(run.Arguments.GetValue(Selector), type, algorithm == Both, keys);
            var pair = DkimKeyPair.Generate(DkimAlgorithms.OfKeyType(type));
            (await store.DkimKeys.AddAsync(domain, selector, type, pair.PublicKey, pair.PrivateKey, StoreCommand.Operator, stop)).OrFail(domain);
            await Console.Out.WriteLineAsync($"DKIM key {selector} ({type}) of {domain} made; it signs nothing yet");
            await WriteRecordAsync(Record(domain, new(selector.ToLowerInvariant(), type, pair.PublicKey, null, DkimKeyStatus.Waiting)));
        }
        await Console.Out.WriteLineAsync($"Publish this, then run: eventmail domain dkim {domain} activate");
    }

    /// <summary>Those that wait, or the one that is named.</summary>
    private static async Task ActivateAsync(MailStore store, CommandRun run, string domain, IReadOnlyList<DkimKey> keys, CancellationToken stop)
    {
        var selector = run.Arguments.GetValue(Selector)?.ToLowerInvariant();
        var chosen = keys.Where(key => selector is null ? key.Status == DkimKeyStatus.Waiting : key.Selector == selector).ToList();
        if (chosen.Count == 0)
            throw new CommandFailedException(selector is null ? $"{domain}: No key waits to be activated." : $"{domain}: {AccountRejections.DkimKeyMissing.Text}.");
        using var resolver = NameServices.Resolver(run.Settings.Dns, run.Logs);
        foreach (var key in chosen)
        {
            if (!run.Arguments.GetValue(Force) && await Record(domain, key).FaultAsync(resolver, stop) is { } fault)
                throw new CommandFailedException($"{domain}: {fault}. The key is not activated: its signatures could not be verified.");
            (await store.DkimKeys.ActivateAsync(domain, key.Selector, StoreCommand.Operator, stop)).OrFail(domain);
            await Console.Out.WriteLineAsync($"DKIM key {key.Selector} signs the mail of {domain} from now on");
        }
    }

    private static async Task RetireAsync(MailStore store, CommandRun run, string domain, IReadOnlyList<DkimKey> keys, CancellationToken stop)
    {
        var selector = run.Arguments.GetValue(Selector)?.ToLowerInvariant()
            ?? throw new CommandFailedException($"{domain}: Name the key with --selector.");
        (await store.DkimKeys.RetireAsync(domain, selector, StoreCommand.Operator, stop)).OrFail(domain);
        await Console.Out.WriteLineAsync(
            $"DKIM key {selector} of {domain} signs no more. Leave its record in the DNS for a week: mail that it signed is still on its way");
        if (keys.All(key => key.Selector == selector || key.Status != DkimKeyStatus.Active))
            await Console.Out.WriteLineAsync($"No key of {domain} signs now");
    }

    private static async Task ListAsync(CommandRun run, string domain, IReadOnlyList<DkimKey> keys)
    {
        await ListOutput.WriteAsync(
            run, Rows(domain, keys).ToAsyncEnumerable(), ["SELECTOR", "ALGORITHM", "STATUS"], row => [row.Selector, row.Algorithm, row.Status]);
        if (run.Arguments.GetValue(ListOutput.Json))
            return;
        foreach (var key in keys.Where(key => key.Status != DkimKeyStatus.Retired))
            await WriteRecordAsync(Record(domain, key));
    }

    private static IEnumerable<Row> Rows(string domain, IReadOnlyList<DkimKey> keys) => keys.Select(key =>
    {
        var record = Record(domain, key);
        return new Row(key.Selector, key.Algorithm, key.Status.ToString().ToLowerInvariant(), record.Name, record.Text);
    });

    private static async Task WriteRecordAsync(DkimRecord record)
    {
        await Console.Out.WriteLineAsync($"\nTXT record {record.Name}:\n{record.Text}");
        await Console.Out.WriteLineAsync($"In a zone file:\n{record.ZoneLine}\n");
    }

    private static DkimRecord Record(string domain, DkimKey key) =>
        new(MailAddress.TryCanonicalDomain(domain, out var name) ? name : domain, key.Selector, DkimAlgorithms.OfKeyType(key.Algorithm), key.PublicKey);

    // A month and a number, so that keys can be told by their age and none is given twice.
    private static string SelectorOf(string? wanted, string type, bool both, IReadOnlyList<DkimKey> keys)
    {
        if (wanted is not null)
            return both ? $"{wanted}-{type}" : wanted;
        var month = string.Create(CultureInfo.InvariantCulture, $"s{TimeProvider.System.GetUtcNow():yyyyMM}-{type}");
        var number = Enumerable.Range(1, keys.Count + 1).First(n => keys.All(key => key.Selector != Numbered(n)));
        return Numbered(number);

        string Numbered(int n) => n == 1 ? month : $"{month}-{n}";
    }

    private sealed record Row(string Selector, string Algorithm, string Status, string Name, string Record);
}
