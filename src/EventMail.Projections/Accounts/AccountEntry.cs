namespace EventMail.Projections.Accounts;

/// <summary>What everybody may know of an account. Immutable.</summary>
/// <param name="Account">The short immutable id: the tenant of all its streams.</param>
/// <param name="Address">Canonical: lower case, the domain in ASCII (A-labels).</param>
/// <param name="QuotaLimit">In bytes.</param>
/// <param name="MessageLimit">Null: as many as there is room for.</param>
/// <param name="Administrator">Gets postmaster's mail where nobody else does.</param>
/// <param name="RecoverableSecret">The account opted in to CRAM-MD5 and APOP.</param>
public sealed record AccountEntry(
    string Account,
    string Address,
    bool Suspended,
    long QuotaLimit,
    long? MessageLimit,
    bool Administrator,
    bool RecoverableSecret,
    DateTimeOffset Opened)
{
    /// <summary>Whom it may send as besides itself: addresses, and "@domain" for all of a domain.</summary>
    public IReadOnlyCollection<string> SendAs { get; init; } = [];

    /// <summary>What was shown at a login counts as long as this stays the same: a password that was set or revoked changes it.</summary>
    public long CredentialVersion { get; init; }

    /// <summary>What the log calls it when it acts: its id. What capture mode lets in without an account has no name but the one it gave.</summary>
    public string LogName => Account == OpenLogins.NobodysId ? Address : Account;

    /// <summary>What it submits is kept in its mailbox for sent mail.</summary>
    public bool SaveSent { get; init; }
}
