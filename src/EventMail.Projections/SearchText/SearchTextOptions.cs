namespace EventMail.Projections.SearchText;

public sealed record SearchTextOptions
{
    /// <summary>Characters of one content's text that are kept; of a longer one the beginning, and a search looks into the content for the rest.</summary>
    public int MaxTextLength { get; init; } = 1 << 20;

    /// <summary>Events that are indexed in one transaction: short ones, since what follows the log waits for the oldest that runs.</summary>
    public int BatchEvents { get; init; } = 64;

    /// <summary>Characters that are sent to PostgreSQL in one statement.</summary>
    public int StatementLength { get; init; } = 1 << 20;

    /// <summary>From this many new contents in a second on mail comes in quickly, and indexing keeps to <see cref="BusyShare"/>.</summary>
    public int BusyContentsPerSecond { get; init; } = 50;

    /// <summary>The share of its time that indexing works while mail comes in quickly.</summary>
    public double BusyShare { get; init; } = 0.05;

    /// <summary>The longest pause between two batches: so that it goes on, however long the rush.</summary>
    public TimeSpan MaxPause { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the log tells how far a long catch-up is.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Contents of a search that are looked up by their numbers before the trigrams of all contents are asked.</summary>
    public int FewContents { get; init; } = 512;
}
