namespace EventMail.Host.Configuration;

/// <summary>Verification of the read models behind the mail.</summary>
public sealed record ProjectionSettings
{
    /// <summary>How often all of them are folded from the log once more and compared; 0s: never. It needs as much space as they have, for as long as it takes.</summary>
    public TimeSpan VerifyEvery { get; init; }

    /// <summary>Events, and rows, that it reads in a second.</summary>
    [Range(1, 1_000_000)]
    public int VerifyRate { get; init; } = 2000;

    /// <summary>Messages whose derived rows (texts, summaries, previews, POP3's forms) it compares each time, others every time; 0: none.</summary>
    [Range(0, 1_000_000)]
    public int VerifySample { get; init; } = 1000;
}
