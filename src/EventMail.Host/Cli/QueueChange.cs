using System.CommandLine;
using System.Globalization;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Projections.Deliveries;
using Command = System.CommandLine.Command;

namespace EventMail.Host.Cli;

/// <summary>Commands that do something with what waits: with messages by their ids, or with all of a domain, of a sender, or at all.</summary>
internal static class QueueChange
{
    /// <param name="domain">Null for the whole message.</param>
    public delegate Task<Result<Unit>> Change(MailStore store, StreamKey delivery, string? domain, string? reason, CancellationToken stop);

    public static Option<string?> DomainOption() => new("--domain") { HelpName = "DOMAIN", Description = "Recipients of this domain" };

    public static Option<string?> SenderOption() => new("--sender") { HelpName = "ADDRESS", Description = "Mail from this address; <> for notifications" };

    /// <param name="done">What they are then.</param>
    public static Command Create(string name, string description, string done, bool reason, Change change)
    {
        var ids = new Argument<string[]>("ID") { Arity = ArgumentArity.ZeroOrMore, Description = "As `queue list` prints it" };
        var domain = DomainOption();
        var sender = SenderOption();
        var all = new Option<bool>("--all") { Description = "All that waits" };
        var why = new Option<string?>("--reason") { HelpName = "TEXT", Description = "For the log" };
        var command = new Command(name, description) { ids, domain, sender, all };
        if (reason)
            command.Add(why);
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var given = run.Arguments.GetValue(ids) ?? [];
            var filter = new QueueFilter(null, Canonical(run.Arguments.GetValue(domain)), PathOf(run.Arguments.GetValue(sender)));
            if (given.Length == 0 && !run.Arguments.GetValue(all) && filter.Domain is null && filter.Sender is null)
                throw new CommandFailedException($"Say what to {name}: an ID, --domain, --sender or --all.", ExitCodes.Usage);
            if (given.Length > 0 && (run.Arguments.GetValue(all) || filter.Sender is not null))
                throw new CommandFailedException("IDs go with --domain only.", ExitCodes.Usage);
            var text = reason ? run.Arguments.GetValue(why) : null;
            await (given.Length > 0
                ? NamedAsync(store, given, filter.Domain, done, delivery => change(store, delivery, filter.Domain, text, stop), stop)
                : MatchingAsync(store, filter, done, delivery => change(store, delivery, filter.Domain, text, stop), stop));
        });
        return command;
    }

    public static Guid IdOf(string text) => Guid.TryParse(text, out var id)
        ? id
        : throw new CommandFailedException($"{text} is no id of a message; `eventmail queue list` prints them.", ExitCodes.Usage);

    public static string? Canonical(string? domain) =>
        domain is null ? null
        : domain.StartsWith('[') ? domain.ToLowerInvariant()
        : MailAddress.TryCanonicalDomain(domain, out var canonical) ? canonical
        : throw new CommandFailedException($"{domain} is no domain.", ExitCodes.Usage);

    public static string? PathOf(string? sender) => sender is ['<', .., '>'] ? sender[1..^1] : sender;

    private static async Task NamedAsync(
        MailStore store, string[] ids, string? domain, string done, Func<StreamKey, Task<Result<Unit>>> change, CancellationToken stop)
    {
        foreach (var text in ids)
        {
            var delivery = await store.Deliveries.Operations.Queries.FindAsync(IdOf(text), stop)
                ?? throw new CommandFailedException($"There is no message {text}.");
            (await change(delivery)).OrFail(text);
            await Console.Out.WriteLineAsync($"{text}{(domain is null ? "" : $" for {domain}")} {done}");
        }
    }

    private static async Task MatchingAsync(
        MailStore store, QueueFilter filter, string done, Func<StreamKey, Task<Result<Unit>>> change, CancellationToken stop)
    {
        var swept = await QueueSweep.RunAsync(store.Deliveries.Operations.Queries, filter, change, null, stop);
        await Console.Out.WriteLineAsync($"{Amount.Of(swept.Changed, "message")} {done}");
        foreach (var (reason, count) in swept.Refused)
            await Console.Out.WriteLineAsync($"left as they are: {Amount.Of(count, "message")}: {reason}");
    }
}
