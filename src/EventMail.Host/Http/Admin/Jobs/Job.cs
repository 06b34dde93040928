using System.Text.Json;

namespace EventMail.Host.Http.Admin.Jobs;

internal enum JobState
{
    Running,
    Done,

    /// <summary>It could not be done, or not all of it: its problem says why.</summary>
    Failed,

    /// <summary>Somebody ended it, or the server stopped.</summary>
    Cancelled,
}

/// <summary>How far a job is.</summary>
/// <param name="Stage">What it does now.</param>
/// <param name="Total">In the unit of <paramref name="Done"/>; null where it is not known.</param>
/// <param name="SecondsLeft">Null while there is no telling.</param>
/// <param name="Waiting">What it waits for; null while it goes on.</param>
internal sealed record JobProgress(string Stage, long Done, long? Total, double? SecondsLeft = null, string? Waiting = null);

/// <summary>How a job ended.</summary>
/// <param name="Result">What the operation that began it says; also of a job that failed, where there is something to be told.</param>
internal sealed record JobEnd(JobState State, DateTimeOffset Time, JsonElement? Result, JobProblem? Problem);

/// <summary>Work that goes on after its request was answered. Thread-safe.</summary>
/// <param name="kind">What it does.</param>
/// <param name="scope">What a key must allow to begin it, and to end it.</param>
/// <param name="by">The key's name.</param>
/// <param name="session">Of the request: the log says what it did under this id.</param>
internal sealed class Job(string id, string kind, string scope, string by, string session, DateTimeOffset started, CancellationTokenSource cancel)
    : IProgress<JobProgress>
{
    private volatile JobProgress? _progress;
    private volatile JobEnd? _end;

    public string Id => id;

    public string Scope => scope;

    public string Session => session;

    public bool IsOver => _end is not null;

    public CancellationToken Cancelled => cancel.Token;

    public JobDocument Document
    {
        get
        {
            var end = _end;
            return new(
                id, kind, end?.State ?? JobState.Running, $"api:{by}", session, started, end?.Time, _progress, end?.Result, end?.Problem);
        }
    }

    public void Report(JobProgress value) => _progress = value;

    /// <summary>Asks it to stop where it is.</summary>
    public void Cancel()
    {
        try
        {
            cancel.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended.
        }
    }

    public void End(JobEnd end) => _end = end;
}
