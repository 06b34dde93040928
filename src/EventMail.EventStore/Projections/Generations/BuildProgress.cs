using System.Diagnostics;

namespace EventMail.EventStore;

public enum BuildPhase
{
    /// <summary>The log is being folded.</summary>
    Folding,

    /// <summary>The disk is full: it goes on when there is room.</summary>
    WaitingForRoom,

    /// <summary>The database is away.</summary>
    WaitingForDatabase,

    /// <summary>Somebody is using the tables, or the log is being written without a pause.</summary>
    WaitingForLock,

    /// <summary>Programs of another version are still folding the live tables.</summary>
    WaitingForOthers,

    Done,
}

/// <summary>How far a build is.</summary>
/// <param name="Models">Names.</param>
/// <param name="Why">What it waits for, in words.</param>
public sealed record BuildProgress(BuildPhase Phase, IReadOnlyList<string> Models, ReadModelBuild Build, string? Why = null);

/// <summary>Events a second over the last seconds.</summary>
internal sealed class BuildRate
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Queue<(long At, long Position)> _seen = [];

    public double PerSecond { get; private set; }

    public void Note(long position)
    {
        var now = Stopwatch.GetTimestamp();
        _seen.Enqueue((now, position));
        while (_seen.Count > 2 && Stopwatch.GetElapsedTime(_seen.Peek().At, now) > Window)
            _seen.Dequeue();
        var (at, from) = _seen.Peek();
        var seconds = Stopwatch.GetElapsedTime(at, now).TotalSeconds;
        PerSecond = seconds > 0 ? (position - from) / seconds : 0;
    }
}
