namespace EventMail.EventStore;

/// <summary>How a read model stands.</summary>
/// <param name="Version">Of this program.</param>
/// <param name="LiveVersion">Of the live tables; null when there are none.</param>
/// <param name="Generation">Which of the sets of tables that there ever were is live.</param>
/// <param name="IsInline">True when it is written in the transaction of the events: it lags behind by nothing.</param>
/// <param name="LagEvents">Positions of the log between where it stands and the end; 0 for an inline one.</param>
/// <param name="LagSeconds">The age of the first event that it has not folded.</param>
/// <param name="Rows">PostgreSQL's estimate.</param>
/// <param name="Bytes">On disk, with indexes.</param>
/// <param name="Check">The last verification of the live generation; null: there was none.</param>
public sealed record ReadModelStatus(
    string Name, int Version, int? LiveVersion, int? Generation, DateTimeOffset? Built, bool IsInline, ReadModelSource Source,
    long Position, long LagEvents, double LagSeconds, long Rows, long Bytes, ReadModelBuild? Build, PreviousGeneration? Previous, ReadModelCheck? Check = null);

/// <summary>A generation that is being built.</summary>
/// <param name="Began">The position at which it began.</param>
/// <param name="Target">The end of the log now.</param>
/// <param name="Rate">Events a second of late; 0 when nobody works on it.</param>
public sealed record ReadModelBuild(int Version, int Generation, long Began, long Position, long Target, DateTimeOffset Started, double Rate)
{
    /// <summary>From 0 to 1.</summary>
    public double Share => Target <= Began ? 1 : Math.Clamp((double)(Position - Began) / (Target - Began), 0, 1);

    /// <summary>Null while there is no telling.</summary>
    public TimeSpan? Left => Rate > 0 ? TimeSpan.FromSeconds(Math.Max(0, Target - Position) / Rate) : null;
}

/// <summary>The generation that was live before; its tables are there for going back.</summary>
public sealed record PreviousGeneration(int Version, int Generation, long Position);
