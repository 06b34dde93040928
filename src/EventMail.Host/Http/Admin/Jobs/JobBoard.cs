using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EventMail.Domain;
using EventMail.EventStore;
using EventMail.EventStore.Backup;
using EventMail.Host.Cli;
using EventMail.Host.Configuration;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Host.Http.Admin.Jobs;

/// <summary>What a job comes to: a result, a problem, or both where only a part was done.</summary>
internal readonly record struct JobOutcome<T>(T? Result, JobProblem? Problem) where T : class
{
    public static implicit operator JobOutcome<T>(T result) => new(result, null);

    public static implicit operator JobOutcome<T>(Rejection rejection) => new(null, new("It was refused", rejection.Text));
}

/// <summary>
/// The jobs of this Host: those that run, and the last ones that ran. In memory: what a job did is in the log and in the tables, and whoever asks
/// after a restart is told so (docs/decisions/0051-jobs.md). Thread-safe.
/// </summary>
/// <param name="stopping">Ends them all.</param>
internal sealed class JobBoard(HttpSettings settings, TimeProvider time, CancellationToken stopping, ILogger log) : IAsyncDisposable
{
    private readonly Lock _lock = new();

    // In the order in which they began.
    private readonly List<Job> _jobs = [];
    private readonly HashSet<Task> _running = [];

    /// <summary>Begins a job and answers 202 with it; 503 where as many run as may.</summary>
    /// <param name="kind">What it does, in a word.</param>
    /// <param name="work">Gets the job to report to, and a token that ends it. Must not use the request's own.</param>
    public ApiAnswer Begin<T>(ApiRequest request, string kind, string scope, JsonTypeInfo<T> type, Func<Job, CancellationToken, Task<JobOutcome<T>>> work)
        where T : class
    {
        var cancel = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var job = new Job($"{Guid.CreateVersion7():n}", kind, scope, request.Key.Name, request.Actor.SessionId, time.GetUtcNow(), cancel);
        lock (_lock)
        {
            if (_running.Count >= settings.MaxJobs || stopping.IsCancellationRequested)
            {
                cancel.Dispose();
                return ApiAnswer.Problem(
                    StatusCodes.Status503ServiceUnavailable, "Too many jobs run already", string.Create(null, $"There are {settings.MaxJobs}; wait for one, end one (DELETE /api/v1/jobs/ID), or raise Http:MaxJobs"));
            }
            if (_jobs.Count >= settings.KeptJobs + settings.MaxJobs && _jobs.FindIndex(known => known.IsOver) is >= 0 and var oldest)
                _jobs.RemoveAt(oldest);
            _jobs.Add(job);
            var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _running.Add(running.Task);
            _ = Task.Run(async () =>
            {
                using (cancel)
                    await RunAsync(job, type, work);
                lock (_lock)
                    _running.Remove(running.Task);
                running.SetResult();
            }, CancellationToken.None);
        }
        return ApiAnswer.Began($"/jobs/{job.Id}", job.Document, ApiJson.Plain.JobDocument);
    }

    public Job? Find(string id)
    {
        lock (_lock)
            return _jobs.Find(job => job.Id == id);
    }

    /// <summary>The newest first.</summary>
    public IReadOnlyList<Job> All()
    {
        lock (_lock)
            return [.. Enumerable.Reverse(_jobs)];
    }

    /// <summary>Of one that is over nothing more is told.</summary>
    public void Forget(Job job)
    {
        lock (_lock)
            _jobs.Remove(job);
    }

    /// <summary>Ends them and waits for it: they work on the store.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] running;
        lock (_lock)
        {
            foreach (var job in _jobs)
                job.Cancel();
            running = [.. _running];
        }
        await Task.WhenAll(running);
    }

    private async Task RunAsync<T>(Job job, JsonTypeInfo<T> type, Func<Job, CancellationToken, Task<JobOutcome<T>>> work)
        where T : class
    {
        JobEnd end;
        try
        {
            var (result, problem) = await work(job, job.Cancelled);
            end = new(
                problem is null ? JobState.Done : JobState.Failed, time.GetUtcNow(),
                result is null ? null : JsonSerializer.SerializeToElement(result, type), problem);
        }
        catch (OperationCanceledException) when (job.Cancelled.IsCancellationRequested)
        {
            end = new(JobState.Cancelled, time.GetUtcNow(), null, null);
        }
        catch (Exception error)
        {
            end = new(JobState.Failed, time.GetUtcNow(), null, ProblemOf(job, error));
        }
        job.End(end);
        log.JobOver(job.Document.Kind, job.Id, job.Document.State, job.Session);
    }

    private JobProblem ProblemOf(Job job, Exception error)
    {
        switch (error)
        {
            case CommandFailedException or GenerationRefusedException or BackupDamagedException or InvalidDataException or SettingsException:
                return new("It cannot be done", error.Message);
            case TenantReadOnlyException moving:
                return new("The account is read-only", $"It {moving.Reason}");
            case NpgsqlException { IsTransient: true } or TimeoutException:
                log.JobFailed(error, job.Id, job.Session);
                return new("The database did not answer", "Begin it again: what is done already is not done twice");
            case IOException or UnauthorizedAccessException:
                log.JobFailed(error, job.Id, job.Session);
                return new("A file could not be read or written", error.Message);
            default:
                log.JobFailed(error, job.Id, job.Session);
                return new("The job failed", $"The server's log says why: session {job.Session}");
        }
    }
}
