using EventMail.Projections.Past;

namespace EventMail.Host.Configuration;

/// <summary>Mailboxes of the past: what mail clients see of them, and how much of them is kept in memory.</summary>
public sealed record PastSettings
{
    /// <summary>The namespace `#history/` over IMAP: Announced to clients, Hidden to those who do not know of it, or Off.</summary>
    public PastNamespaceUse Namespace { get; init; }

    /// <summary>Which times LIST tells of; every other can be named.</summary>
    public ListedSettings Listed { get; init; } = new();

    /// <summary>Messages of past mailboxes that stay in memory for the next who opens one, about 50 bytes each; 0: none.</summary>
    [Range(0, 100_000_000)]
    public int CachedMessages { get; init; } = 1_000_000;

    /// <summary>Messages of past mailboxes that sessions hold open at once, about 50 bytes each at most; who wants more is refused with [LIMIT].</summary>
    [Range(1, 10_000_000_000)]
    public long OpenMessages { get; init; } = 10_000_000;
}

/// <summary>All are midnights in UTC.</summary>
public sealed record ListedSettings
{
    /// <summary>Today and the days before it.</summary>
    [Range(0, 366)]
    public int Days { get; init; } = 7;

    /// <summary>Mondays, this week's first.</summary>
    [Range(0, 520)]
    public int Weeks { get; init; } = 4;

    /// <summary>Firsts of months, this month's first.</summary>
    [Range(0, 1200)]
    public int Months { get; init; } = 12;
}
