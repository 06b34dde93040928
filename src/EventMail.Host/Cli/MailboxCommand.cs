using System.CommandLine;
using EventMail.Domain.Mailboxes;
using EventMail.Host.Composition;

namespace EventMail.Host.Cli;

/// <summary>Who may do what with a mailbox: in its owner's place.</summary>
internal static class MailboxCommand
{
    private static readonly Argument<string> Address = new("ADDRESS") { Description = "The owner's: alice@example.org" };
    private static readonly Argument<string> Mailbox = new("MAILBOX") { Description = "As the owner calls it: INBOX, Work/2026" };

    public static Command Create() => new("mailbox", "Mailboxes that are shared.") { Acl(), Share() };

    private static Command Acl()
    {
        var command = new Command("acl", "Prints who may do what with a mailbox.") { Address, Mailbox, ListOutput.Json };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var entries = (await store.Mailboxes.Access.ListAsync(await OwnerAsync(store, run, stop), run.Arguments.GetValue(Mailbox)!, stop))
                .OrFail(run.Arguments.GetValue(Mailbox)!);
            await ListOutput.WriteAsync(
                run, entries.Select(entry => new Row(entry.Identifier, RightsText.Of(entry.Rights))).ToAsyncEnumerable(),
                ["WHO", "RIGHTS"], row => [row.Identifier, row.Rights]);
        });
        return command;
    }

    private sealed record Row(string Identifier, string Rights);

    private static Command Share()
    {
        var who = new Argument<string>("WHO") { Description = "bob@example.org, or anyone: every account here" };
        var rights = new Argument<string>("RIGHTS") { Description = "Letters of RFC 4314 (lrs to read, lrswite to use), +letters for more, or none" };
        var command = new Command("share", "Sets what somebody may do with a mailbox.") { Address, Mailbox, who, rights };
        StoreCommand.SetAction(command, async (store, run, stop) =>
        {
            var (mailbox, identifier) = (run.Arguments.GetValue(Mailbox)!, run.Arguments.GetValue(who)!);
            var text = run.Arguments.GetValue(rights)!;
            var mode = text.StartsWith('+') ? RightsMode.Add : RightsMode.Replace;
            if (!RightsText.TryParse(text == "none" ? "" : text.TrimStart('+'), out var given, out var unknown))
                throw new CommandFailedException($"{unknown} is no right: {RightsText.Of(Rights.All)}, or none.", ExitCodes.Usage);
            var owner = await OwnerAsync(store, run, stop);
            (await store.Mailboxes.Access.SetAsync(owner, mailbox, identifier, mode, given, StoreCommand.Operator, null, stop)).OrFail(mailbox);
            await Console.Out.WriteLineAsync($"{mailbox} of {run.Arguments.GetValue(Address)}: {text} for {identifier}");
        });
        return command;
    }

    private static async Task<string> OwnerAsync(MailStore store, CommandRun run, CancellationToken stop)
    {
        var address = run.Arguments.GetValue(Address)!;
        var owner = await store.Directory.FindAsync(address, stop) ?? throw new CommandFailedException($"There is no account {address}.");
        return owner.Account;
    }
}
