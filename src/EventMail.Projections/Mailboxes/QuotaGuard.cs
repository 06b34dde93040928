using EventMail.Domain;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// Answers while a command decides what an account has and may have, with all that the command's batch has taken before it; null
/// when the command has been deferred until that is known. So many octets and messages are to be added: what seems to have no room for
/// them is looked at again where other nodes may have made some.
/// </summary>
public delegate QuotaUsage? QuotaGuard(Decision decision, string account, long bytes, long messages);

/// <summary>Whom a message goes to when it does not fit everywhere.</summary>
public enum QuotaRule
{
    /// <summary>Each recipient is answered for: it must fit into all their quotas, or nobody gets it.</summary>
    EveryoneFits,

    /// <summary>
    /// One answer for all: it must fit into one of their quotas. The others get it, too, as the one message that may lie beyond a
    /// quota; one who has no room at all makes the sender come again, and is refused by name then.
    /// </summary>
    SomeoneFits,
}

/// <summary>Who had no room, for the log: what a command answers besides <see cref="Rejection.OverQuota"/>.</summary>
internal sealed record QuotaRefusal(string Account, string Address, QuotaUsage Usage, long Size);
