namespace EventMail.Domain.Mailboxes;

/// <summary>What bounds a mailbox and an account's set of mailboxes.</summary>
public static class MailboxLimits
{
    /// <summary>A flag mask has 64 bits: five system flags and these.</summary>
    public const int MaxKeywordsPerMailbox = 58;

    /// <summary>Octets of one keyword.</summary>
    public const int MaxKeywordLength = 100;

    /// <summary>UTF-8 octets of a whole mailbox name.</summary>
    public const int MaxNameBytes = 1000;

    /// <summary>UTF-8 octets of one level of a name.</summary>
    public const int MaxLevelBytes = 250;

    /// <summary>Levels of a name.</summary>
    public const int MaxDepth = 20;

    public const int MaxMailboxesPerAccount = 5000;

    /// <summary>Identifiers in a mailbox's access control list.</summary>
    public const int MaxAclEntries = 500;

    /// <summary>A STORE with an UNCHANGEDSINCE further back than so many events goes by messages, not by their flags.</summary>
    public const int MaxEventsOfCondition = 10_000;

    /// <summary>Messages in one mailbox.</summary>
    public const int MaxMessages = 20_000_000;
}
