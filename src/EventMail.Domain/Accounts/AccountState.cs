using System.Collections.Immutable;

namespace EventMail.Domain.Accounts;

public enum AccountStatus
{
    /// <summary>No such account (yet).</summary>
    None,
    Open,
    Suspended,
    Closed,
}

public sealed record AppPassword(string Id, string Name, string Sha256);

/// <summary>An account folded from its stream. Immutable.</summary>
public sealed record AccountState
{
    public required string Account { get; init; }

    public string Address { get; init; } = "";

    public AccountStatus Status { get; init; }

    public string? SuspendedBecause { get; init; }

    /// <summary>The server that it moved to; null while it is here.</summary>
    public string? MovedTo { get; init; }

    /// <summary>It was suspended when it was closed: what it still has on its way is not to go out.</summary>
    public bool ClosedSuspended { get; init; }

    public bool Administrator { get; init; }

    public DateTimeOffset Opened { get; init; }

    /// <summary>In bytes.</summary>
    public long QuotaLimit { get; init; }

    /// <summary>How many messages it may have; null: as many as there is room for.</summary>
    public long? MessageLimit { get; init; }

    /// <summary>The highest warning mark that the log says is reached, or 0.</summary>
    public int QuotaMark { get; init; }

    public string PasswordHash { get; init; } = "";

    public ScramKeys? Scram { get; init; }

    public ScramKeys? ScramSha1 { get; init; }

    public RecoverableSecret? Recoverable { get; init; }

    public ImmutableArray<AppPassword> AppPasswords { get; init; } = [];

    /// <summary>The version of the event that last changed what a client must show to log in: what older ones proved is void.</summary>
    public long CredentialVersion { get; init; }

    public ImmutableSortedSet<string> Subscriptions { get; init; } = NoNames;

    /// <summary>Whom it may send as besides itself: addresses, and "@domain" for all of a domain.</summary>
    public ImmutableSortedSet<string> SendAs { get; init; } = NoNames;

    /// <summary>What it submits is kept in its mailbox for sent mail.</summary>
    public bool SaveSent { get; init; }

    /// <summary>What is read of its mail becomes events.</summary>
    public bool AuditReads { get; init; }

    public bool Exists => Status is AccountStatus.Open or AccountStatus.Suspended;

    private static readonly ImmutableSortedSet<string> NoNames = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    public static AccountState Empty(string account) => new() { Account = account };

    public AccountState Evolve(object @event, long version, DateTimeOffset at) => @event switch
    {
        AccountOpened e => this with
        {
            Address = e.Address,
            Status = AccountStatus.Open,
            QuotaLimit = e.QuotaLimit,
            Administrator = e.Administrator,
            Opened = at,
        },
        PasswordSet e => this with
        {
            PasswordHash = e.Hash,
            Scram = e.Scram,
            ScramSha1 = e.ScramSha1,
            Recoverable = e.Recoverable,
            CredentialVersion = version,
        },
        PasswordRehashed e => this with { PasswordHash = e.Hash, Scram = e.Scram, ScramSha1 = e.ScramSha1 },
        RecoverableSecretEnabled e => this with { Recoverable = e.Secret },
        RecoverableSecretDisabled => this with { Recoverable = null },
        AppPasswordIssued e => this with { AppPasswords = AppPasswords.Add(new(e.Id, e.Name, e.Sha256)) },
        AppPasswordRevoked e => this with { AppPasswords = AppPasswords.RemoveAll(p => p.Id == e.Id), CredentialVersion = version },
        QuotaLimitSet e => this with { QuotaLimit = e.Limit },
        MessageLimitSet e => this with { MessageLimit = e.Limit },
        QuotaThresholdCrossed e => this with { QuotaMark = e.Percent },
        QuotaDriftFound => this,
        AccountSuspended e => this with { Status = AccountStatus.Suspended, SuspendedBecause = e.Reason },
        AccountResumed => this with { Status = AccountStatus.Open, SuspendedBecause = null },
        // To everybody who asks here it is suspended: no logins, and mail comes again later.
        AccountMovedOut e => this with { Status = AccountStatus.Suspended, SuspendedBecause = $"moved to {e.To}", MovedTo = e.To },
        AccountMovedIn => this with { Status = AccountStatus.Open, SuspendedBecause = null, MovedTo = null },
        AccountClosed => this with
        {
            Status = AccountStatus.Closed,
            ClosedSuspended = Status == AccountStatus.Suspended,
            PasswordHash = "",
            Scram = null,
            ScramSha1 = null,
            Recoverable = null,
            AppPasswords = [],
            Subscriptions = NoNames,
            SendAs = NoNames,
            SaveSent = false,
            AuditReads = false,
            CredentialVersion = version,
        },
        AccountReopened e => this with { Address = e.Address, Status = AccountStatus.Open, ClosedSuspended = false, SuspendedBecause = null },
        MailboxSubscribed e => this with { Subscriptions = Subscriptions.Add(e.Name) },
        MailboxUnsubscribed e => this with { Subscriptions = Subscriptions.Remove(e.Name) },
        SendAsGranted e => this with { SendAs = SendAs.Add(e.Address) },
        SendAsRevoked e => this with { SendAs = SendAs.Remove(e.Address) },
        SaveSentSet e => this with { SaveSent = e.Enabled },
        ReadAuditBegun => this with { AuditReads = true },
        ReadAuditEnded => this with { AuditReads = false },
        _ => throw new ArgumentException($"not an event of an account: {@event.GetType().Name}", nameof(@event)),
    };
}
