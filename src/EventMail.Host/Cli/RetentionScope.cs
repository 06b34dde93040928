using System.CommandLine;
using EventMail.Domain.Accounts;
using EventMail.Host.Composition;

namespace EventMail.Host.Cli;

/// <summary>Whose mail, and of which mailbox, a rule or a hold is about.</summary>
internal static class RetentionScope
{
    public static readonly Argument<string> Address = new("ADDRESS") { Description = "The account; a closed one is found by its id as well" };

    public static readonly Argument<string?> Mailbox = new("MAILBOX")
    {
        Arity = ArgumentArity.ZeroOrOne,
        Description = "Only this mailbox; one that is deleted is found by its id, as `history` shows it",
    };

    public static async Task<string> AccountAsync(MailStore store, string address, CancellationToken stop)
    {
        if (await store.Directory.FindAsync(address, stop) is { } entry && !(MailAddress.TryParse(address, out var own, out _) && own.ToString() == entry.Address))
            throw new CommandFailedException($"{address} is an alias, which leads to {entry.Address}: name the account itself.");
        var accounts = await store.History.AccountsAsync(address, stop);
        return accounts switch
        {
            [var account] => account,
            [] => await new AccountNames(store.Log.DataSource).TenantAsync(address, stop),
            _ => throw new CommandFailedException($"{address} was the address of several accounts: {string.Join(", ", accounts)}. Say which by its id."),
        };
    }

    public static async Task<Guid?> MailboxAsync(MailStore store, string account, string? name, CancellationToken stop) =>
        name is null ? null
        : Guid.TryParse(name, out var id) ? id
        : (await store.Mailboxes.OpenAsync(account, name, stop)).OrFail(name).Key.Id;
}
