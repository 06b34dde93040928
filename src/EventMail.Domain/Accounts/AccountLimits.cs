namespace EventMail.Domain.Accounts;

/// <summary>Limits of accounts, with their origin.</summary>
public static class AccountLimits
{
    /// <summary>RFC 5321 §4.5.3.1.1, in octets; the security guide says the same in characters.</summary>
    public const int LocalPart = 64;

    /// <summary>RFC 1035 §2.3.4: 255 octets on the wire are 253 characters.</summary>
    public const int Domain = 253;

    /// <summary>RFC 5321 §4.5.3.1.3: a path of 256 octets without its angle brackets.</summary>
    public const int Address = 254;

    /// <summary>RFC 1035 §2.3.4.</summary>
    public const int Label = 63;

    /// <summary>In UTF-8 octets. Longer ones only cost hashing time.</summary>
    public const int Password = 1024;

    /// <summary>1 GiB: the default of the quota seed.</summary>
    public const long DefaultQuota = 1L << 30;

    /// <summary>In bytes, and in messages: the largest number that every JSON parser reads exactly (8 PiB).</summary>
    public const long MaxQuota = (1L << 53) - 1;

    public const int AliasTargets = 100;

    /// <summary>Keys of one domain that are not retired.</summary>
    public const int DkimKeys = 10;

    /// <summary>Characters: with "._domainkey." and a long domain it must still be a name.</summary>
    public const int DkimSelector = 63;

    /// <summary>How many aliases may lead to each other before the last one must be an account.</summary>
    public const int AliasDepth = 10;

    public const int AppPasswords = 20;

    /// <summary>Names on one account's subscription list.</summary>
    public const int Subscriptions = 10_000;

    /// <summary>Addresses and domains that one account may send as.</summary>
    public const int SendAs = 1000;

    /// <summary>Characters of a name as given that an event keeps.</summary>
    public const int AttemptedUser = 128;

    /// <summary>Percent of the quota at which a warning is due.</summary>
    public static ReadOnlySpan<int> QuotaMarks => [80, 90, 95, 100];
}
