namespace EventMail.Projections.Past;

/// <summary>How mailboxes of the past are shown to mail clients.</summary>
public enum PastNamespaceUse : byte
{
    /// <summary>NAMESPACE tells of it (RFC 2342).</summary>
    Announced,

    /// <summary>For those who know of it.</summary>
    Hidden,

    /// <summary>There is none.</summary>
    Off,
}

public sealed record PastOptions
{
    public PastNamespaceUse Namespace { get; init; }

    /// <summary>Today and the days before it: midnights (UTC) that LIST tells of.</summary>
    public int ListedDays { get; init; } = 7;

    /// <summary>Mondays, this week's first.</summary>
    public int ListedWeeks { get; init; } = 4;

    /// <summary>Firsts of months, this month's first.</summary>
    public int ListedMonths { get; init; } = 12;

    /// <summary>Messages of opened mailboxes that are kept in memory; about 50 bytes each.</summary>
    public int CachedMessages { get; init; } = 1_000_000;

    /// <summary>Messages of the past that sessions may hold open at once; about 50 bytes each where no two of them share any.</summary>
    public long OpenMessages { get; init; } = 10_000_000;
}
