using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Host.Composition;
using EventMail.Projections;
using EventMail.Projections.Restoring;

namespace EventMail.Host.Restoring;

/// <param name="Reopened">The account was closed and is open again; nobody can log in to it before it has a password.</param>
internal sealed record RestoredAccount(bool Reopened, IReadOnlyList<RestoredMailbox> Mailboxes);

/// <summary>Undo for accounts that are open or were: what `eventmail restore` and the admin API do. Thread-safe.</summary>
internal sealed class AccountRestore(MailStore store)
{
    /// <summary>Hears, as they are done, how many messages of a mailbox are back.</summary>
    public IProgress<long>? Progress { get; init; }

    /// <summary>The id of the account that has the address, or of the last one that had it. An alias is none.</summary>
    /// <param name="named">An address or an id.</param>
    /// <param name="at">Of several that had the address and were closed the last that had begun by then.</param>
    public async Task<string?> FindAsync(string named, CancellationToken cancel, DateTimeOffset? at = null)
    {
        if (!named.Contains('@', StringComparison.Ordinal))
            return named.Length > 0 && await store.Past.BeganAsync(named, cancel) is not null ? named : null;
        if (await store.Directory.FindAsync(named, cancel) is { } entry)
            return MailAddress.TryParse(named, out var address, out _) && address.ToString() == entry.Address ? entry.Account : null;
        var accounts = await store.History.AccountsAsync(named, cancel);
        for (var i = accounts.Count - 1; i > 0; i--)
        {
            if (at is null || await store.Past.BeganAsync(accounts[i], cancel) <= at)
                return accounts[i];
        }
        return accounts.Count > 0 ? accounts[0] : null;
    }

    /// <summary>Why it cannot be done; null when it can: the time, the mailbox and the messages must have been.</summary>
    public Task<Rejection?> CheckAsync(RestoreWish wish, CancellationToken cancel) => new RestoreService(store.Log, store.Mailboxes, store.Past).CheckAsync(wish, cancel);

    /// <summary>Opens the account again where it was closed, and restores.</summary>
    public async Task<Result<RestoredAccount>> RunAsync(RestoreWish wish, Actor actor, IProgress<RestoredMailbox>? told, CancellationToken cancel)
    {
        if (await CheckAsync(wish, cancel) is { } impossible)
            return impossible;
        var reopens = await store.Directory.GetAsync(wish.Account, cancel) is null;
        if (reopens && !wish.DryRun && (await store.Accounts.ReopenAsync(wish.Account, actor, cancel)).Rejection is { } closed)
            return closed;
        var (mailboxes, rejection) = await new RestoreService(store.Log, store.Mailboxes, store.Past) { Progress = Progress }.RestoreAsync(wish, actor, told, cancel);
        return rejection is not null ? rejection : new RestoredAccount(reopens, mailboxes!);
    }

    /// <summary>Undoes what a session did.</summary>
    /// <param name="account">Only in this account (its id); null: wherever it was.</param>
    public Task<UndoneSession> UndoAsync(
        string session, string? account, bool dryRun, Actor actor, IProgress<RestoredMailbox>? told, CancellationToken cancel) =>
        new SessionUndo(store.Log, store.Mailboxes, store.Past, store.Deliveries.Operations) { Progress = Progress }.UndoAsync(session, account, dryRun, actor, told, cancel);
}
