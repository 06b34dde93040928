namespace EventMail.Projections.Accounts;

public enum RecipientStatus
{
    Local,
    Unknown,
    NotLocalDomain,
    Suspended,
    OverQuota,
}

/// <summary>An account that is to get a message.</summary>
/// <param name="Address">The account's own address.</param>
/// <param name="Recipient">RCPT TO as the client gave it.</param>
public sealed record LocalRecipient(string Account, string Address, string Recipient)
{
    /// <summary>
    /// Gets it also when it is full: postmaster's mail that nobody else takes (RFC 5321 §4.5.1), and an alias's while somebody else
    /// behind the alias has room.
    /// </summary>
    public bool BeyondQuota { get; init; }
}

/// <summary>Where mail for an address goes: one account, or the accounts behind an alias; or why nowhere.</summary>
/// <param name="Recipients">Not empty exactly when the status is <see cref="RecipientStatus.Local"/>.</param>
public readonly record struct RecipientAnswer(RecipientStatus Status, IReadOnlyList<LocalRecipient> Recipients);

/// <summary>In bytes.</summary>
public readonly record struct QuotaUsage(long Used, long Limit)
{
    public bool HasRoomFor(long bytes) => (Int128)Used + bytes <= Limit;
}
