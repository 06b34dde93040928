using EventMail.Projections.Quotas;

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

/// <summary>What an account has of what it may have.</summary>
/// <param name="Used">In bytes.</param>
/// <param name="Limit">In bytes.</param>
/// <param name="MessageLimit">Null: as many messages as there is room for.</param>
public readonly record struct QuotaUsage(long Used, long Limit, long Messages = 0, long? MessageLimit = null)
{
    /// <summary>What of it was committed when it was asked for; null while no other node may commit.</summary>
    internal MailTotals? Committed { get; init; }

    public bool HasRoomFor(long bytes, long messages) => HasBytes(bytes) && HasMessages(messages);

    /// <summary>Of what nothing is added, nothing has to be free.</summary>
    public bool HasBytes(long bytes) => bytes <= 0 || (Int128)Used + bytes <= Limit;

    /// <inheritdoc cref="HasBytes"/>
    public bool HasMessages(long messages) => messages <= 0 || MessageLimit is not { } limit || Messages <= limit - messages;

    /// <summary>Nothing more would fit, however small.</summary>
    public bool IsFull => !HasRoomFor(1, 1);
}
