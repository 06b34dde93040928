using EventMail.Domain.ApiKeys;
using EventMail.Host.Http.Admin.Resources;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Jobs;

/// <summary>/jobs: long work of this Host. A key sees the jobs of what it may read, and ends those that it may begin.</summary>
internal sealed class JobsResource(JobBoard jobs)
{
    private static readonly ApiAnswer Missing = ApiAnswer.Problem(
        StatusCodes.Status404NotFound, "There is no such job here",
        "Jobs are known to the Host that runs them, until it is restarted; `/history?session=` tells what one did, and beginning it again does nothing twice");

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/jobs", Operation.AnyScope, "The jobs that run, and the last ones that ran; the newest first.", request => Task.FromResult(
            ApiAnswer.Json(new([.. jobs.All().Where(job => MaySee(request, job)).Select(job => job.Document)]), ApiJson.Plain.JobListDocument)))
        {
            Answer = ApiJson.Default.JobListDocument,
        },
        new("GET", "/jobs/{id}", Operation.AnyScope, "How far a job is, and what it came to.", request => Task.FromResult(
            jobs.Find(request.Path("id")) is { } job && MaySee(request, job) ? ApiAnswer.Json(job.Document, ApiJson.Plain.JobDocument) : Missing))
        {
            Answer = ApiJson.Default.JobDocument,
        },
        new("DELETE", "/jobs/{id}", Operation.AnyScope, "Asks a job to stop where it is; one that is over is forgotten.", request =>
            Task.FromResult(End(request))) { Status = 202 },
    ];

    private ApiAnswer End(ApiRequest request)
    {
        if (jobs.Find(request.Path("id")) is not { } job || !MaySee(request, job))
            return Missing;
        if (!ApiScopes.Allow(request.Key.Scopes, job.Scope))
            return ApiAnswer.Problem(StatusCodes.Status403Forbidden, "The API key does not allow this", $"It needs the scope {job.Scope}");
        if (job.IsOver)
            jobs.Forget(job);
        else
            job.Cancel();
        return ApiAnswer.Accepted;
    }

    private static bool MaySee(ApiRequest request, Job job) => ApiScopes.Allow(request.Key.Scopes, $"read:{job.Scope[(job.Scope.IndexOf(':') + 1)..]}");
}
