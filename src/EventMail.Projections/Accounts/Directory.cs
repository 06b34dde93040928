namespace EventMail.Projections.Accounts;

/// <summary>Who has which address here. Answers from memory, loads on demand, moved by the commit feed. Thread-safe.</summary>
public sealed class Directory
{
    /// <summary>True while some account has opted in to CRAM-MD5 and APOP: only then they are offered.</summary>
    public bool AnyRecoverableSecret => throw new NotSupportedException();

    /// <param name="localPart">As in RCPT TO, quotes removed.</param>
    /// <param name="domain">As in RCPT TO; empty for a bare postmaster.</param>
    /// <param name="size">The message's size in bytes as far as it is known (SIZE=), else 0.</param>
    public ValueTask<RecipientAnswer> ResolveAsync(string localPart, string domain, long size, CancellationToken cancel) =>
        throw new NotSupportedException();

    public ValueTask<bool> IsLocalDomainAsync(string domain, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>By address, or by an alias that leads to one account.</summary>
    public ValueTask<AccountEntry?> FindAsync(string addressOrAlias, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>By account id.</summary>
    public ValueTask<AccountEntry?> GetAsync(string account, CancellationToken cancel) => throw new NotSupportedException();

    /// <summary>The bytes of all the account's mailboxes, and its limit.</summary>
    public ValueTask<QuotaUsage> UsageAsync(string account, CancellationToken cancel) => throw new NotSupportedException();
}
