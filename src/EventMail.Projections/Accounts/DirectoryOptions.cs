namespace EventMail.Projections.Accounts;

public sealed record DirectoryOptions
{
    /// <summary>How many names (addresses, domains, login names) and how many accounts' usage stay in memory.</summary>
    public int Cached { get; init; } = 100_000;

    /// <summary>For how long it is remembered that a name is nobody's. Names that appear are known at once all the same.</summary>
    public TimeSpan UnknownFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How old an account's usage may be while other nodes deliver to it, too. A single node always knows it exactly.</summary>
    public TimeSpan UsageAge { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>What divides a name from its subaddress (RFC 5233): user+detail.</summary>
    public char Subaddress { get; init; } = '+';
}
