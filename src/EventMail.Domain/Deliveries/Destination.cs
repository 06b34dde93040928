namespace EventMail.Domain.Deliveries;

/// <summary>A message's recipients of one domain that are still to get it: a row of the queue.</summary>
/// <param name="Recipients">Positions, ascending; never none.</param>
/// <param name="Due">Not before.</param>
public sealed record Destination(string Domain, int[] Recipients, DateTimeOffset Due)
{
    /// <summary>How many were begun.</summary>
    public int Attempts { get; init; }

    /// <summary>How many of the schedule's retries are used.</summary>
    public int Retries { get; init; }

    /// <summary>How many attempts in a row ended nobody knows how.</summary>
    public int Unknowns { get; init; }

    /// <summary>The sender has been told that it takes longer.</summary>
    public bool Warned { get; init; }

    /// <summary>The sender has been told that his time for it is up (DELIVERBY with "N").</summary>
    public bool ToldOfTime { get; init; }

    /// <summary>When an operator last wanted it tried, whatever is known of its hosts; null for never.</summary>
    public DateTimeOffset? Hastened { get; init; }

    /// <summary>What the last attempt met with; null before it.</summary>
    public string? Reason { get; init; }

    /// <summary>Begun, and without an outcome so far.</summary>
    public AttemptUnderWay? UnderWay { get; init; }

    /// <summary>Attempts that have an outcome, be it that it is unknown.</summary>
    public int AttemptsOver => UnderWay is null ? Attempts : Attempts - 1;
}

/// <param name="Node">The host that makes it.</param>
public sealed record AttemptUnderWay(int Attempt, string Node, DateTimeOffset Begun);
