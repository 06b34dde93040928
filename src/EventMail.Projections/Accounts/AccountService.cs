using EventMail.Domain;

namespace EventMail.Projections.Accounts;

/// <summary>Changes accounts, domains and aliases. Thread-safe.</summary>
public sealed class AccountService
{
    /// <summary>Opens an account with its default mailboxes; adds its domain when that is new.</summary>
    /// <param name="quotaLimit">In bytes; null for the default.</param>
    public Task<Result<AccountOpening>> AddAsync(
        string address, string password, long? quotaLimit, Actor actor, CancellationToken cancel) => throw new NotSupportedException();

    public Task<Result<AccountEntry>> SetPasswordAsync(string address, string password, Actor actor, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<Result<AccountEntry>> SetQuotaAsync(string address, long limit, Actor actor, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<Result<AccountEntry>> SuspendAsync(string address, string? reason, Actor actor, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<Result<AccountEntry>> ResumeAsync(string address, Actor actor, CancellationToken cancel) => throw new NotSupportedException();

    public Task<Result<AccountEntry>> CloseAsync(string address, Actor actor, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>On a database without accounts: opens an administrator's account with a random password; else null.</summary>
    public Task<FirstAccount?> EnsureFirstAccountAsync(string hostName, Actor actor, CancellationToken cancel) => throw new NotSupportedException();
}

/// <param name="DomainAdded">The account's mail domain was new here.</param>
public sealed record AccountOpening(AccountEntry Account, bool DomainAdded);

/// <summary>To be printed once: the password is kept nowhere.</summary>
public sealed record FirstAccount(string Address, string Password);
