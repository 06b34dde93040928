using EventMail.EventStore.Embedded;

namespace EventMail.EventStore;

/// <summary>How read models are built.</summary>
public sealed record GenerationOptions
{
    public const double DefaultShareBesideOthers = 0.25;

    public required string ConnectionString { get; init; }

    public required EventTypeMap Types { get; init; }

    /// <summary>Below it are the wrapping keys, unless <see cref="Keys"/> says where else.</summary>
    public required string DataFolder { get; init; }

    public KeyOptions Keys { get; init; } = new();

    public required IReadOnlyList<StreamKind> Kinds { get; init; }

    /// <summary>All of them, in the order in which they are folded.</summary>
    public required IReadOnlyList<IReadModel> Models { get; init; }

    /// <summary>Positions of the log that are read at once.</summary>
    public int PageSize { get; init; } = 20_000;

    /// <summary>Pages whose rows are written in one transaction: what comes to a stream in between is one row of it.</summary>
    public int PagesPerWrite { get; init; } = 5;

    /// <summary><see cref="PageSize"/> while others write the log.</summary>
    public int PageSizeBesideOthers { get; init; } = 500;

    /// <summary>While others write the log so many positions are written in one transaction, where it is not more than otherwise: many small ones cost others more than a large one.</summary>
    public int EventsPerWriteBesideOthers { get; init; } = 25_000;

    /// <summary>While others write the log a build works for so much of the time, above 0 and up to 1, and rests for the rest of it.</summary>
    public double ShareBesideOthers { get; init; } = DefaultShareBesideOthers;

    /// <summary>While others write the log a build works about so long before it rests: many short rests cost others more than a long one.</summary>
    public TimeSpan TurnBesideOthers { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>So long after the last event of somebody else a build goes on as if it were alone.</summary>
    public TimeSpan OthersRest { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Verification reads no faster; 0: as fast as it can.</summary>
    public int MostEventsPerSecond { get; init; }

    /// <summary>Streams whose states are kept in memory.</summary>
    public int MaxStates { get; init; } = 200_000;

    /// <summary>So few events are left to the change-over, in whose transaction no mail comes in.</summary>
    public int ShortTail { get; init; } = 500;

    /// <summary>How long the change-over waits for who is using the tables before it lets everybody else go on, and tries again.</summary>
    public TimeSpan LockWait { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Between two attempts: at the lock, at a disk that was full, at a database that was away.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Of a process that does nothing else: beside others it and PostgreSQL's processes that work for it keep to it. Null: they run wherever there is room.</summary>
    public OneProcessor? Processor { get; init; }

    /// <summary>Between two words on how far it is.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A program of another version that has not been heard of for so long does not count any more.</summary>
    public TimeSpan NodeExpiry { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>What was asked of the read models cannot be done as things are; the message says what can.</summary>
public class GenerationRefusedException(string message) : Exception(message);

/// <summary>Another process is at work on the read models.</summary>
public sealed class GenerationBusyException()
    : GenerationRefusedException("Another process is at work on the read models; `eventmail projections status` says how far it is.");

/// <summary>What was folded to be compared is no more what the log says, and the erasure that says so is not done.</summary>
internal sealed class ErasureUnderWayException() : Exception("somebody is being erased");
