using EventMail.Domain;
using EventMail.EventStore.Proof;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Projections.Retention;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Account">Its id.</param>
/// <param name="Mailbox">Absent for all of the account's.</param>
/// <param name="Days">Absent: for ever.</param>
internal sealed record RetentionRuleDocument(string Account, Guid? Mailbox, int? Days);

/// <param name="DefaultDays">How long contents are kept that no rule speaks of (Retention:Expunged).</param>
internal sealed record RetentionDocument(double DefaultDays, IReadOnlyList<RetentionRuleDocument> Items);

/// <param name="Days">How long; without it for ever.</param>
/// <param name="Mailbox">Only this mailbox, by name; a deleted one by its id.</param>
internal sealed record NewRetentionDocument(int? Days = null, string? Mailbox = null);

/// <param name="DryRun">Only says what would be released.</param>
internal sealed record NewReleaseDocument(bool DryRun = false);

/// <param name="Account">The account's id; absent for everybody's mail.</param>
internal sealed record HoldDocument(string Case, string? Account, Guid? Mailbox, string? Reason, DateTimeOffset Placed);

internal sealed record HoldListDocument(IReadOnlyList<HoldDocument> Items);

/// <param name="Case">What the hold is called.</param>
/// <param name="Account">Whose mail, by address or id.</param>
/// <param name="Mailbox">Only this mailbox of the account.</param>
/// <param name="All">Everybody's mail; instead of an account.</param>
/// <param name="Reason">For the log.</param>
internal sealed record HoldChangeDocument(string Case, string? Account = null, string? Mailbox = null, bool All = false, string? Reason = null);

/// <param name="Subject">What was asked for: an account's id; absent where messages were.</param>
/// <param name="Completed">Absent while it is not.</param>
internal sealed record ErasureDocument(Guid Id, DateTimeOffset Ordered, DateTimeOffset? Completed, int Contents, string Reason, string? Case, string? Subject);

internal sealed record ErasureListDocument(IReadOnlyList<ErasureDocument> Items);

/// <param name="Completed">Their ids.</param>
internal sealed record ContinuedErasuresDocument(IReadOnlyList<Guid> Completed);

/// <summary>/retention, /holds, /erasures: how long contents are kept, what keeps them, and what was erased. Erasures are ordered by commands alone: nothing brings back what they take.</summary>
internal sealed class RetentionResource(MailStore store, HostSettings settings, JobBoard jobs)
{
    private const string Read = "read:retention";
    private const string Write = "write:retention";

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/retention", Read, "The rules of how long the contents of messages that are gone are kept.", RulesAsync) { Answer = ApiJson.Default.RetentionDocument },
        new("PUT", "/accounts/{account}/retention", Write, "Makes a rule for an account, or for one of its mailboxes.", request => TriedAsync(async () =>
        {
            var wanted = request.BodyOf<NewRetentionDocument>();
            var (account, mailbox) = await ScopeAsync(request.Path("account"), wanted.Mailbox, request.Cancel);
            return Done(await store.Retention.SetAsync(account, mailbox, wanted.Days, request.Actor, request.Cancel));
        }))
        {
            Body = ApiJson.Default.NewRetentionDocument, Status = 204,
        },
        new("DELETE", "/accounts/{account}/retention", Write, "Takes a rule back.", request => TriedAsync(async () =>
        {
            var (account, mailbox) = await ScopeAsync(request.Path("account"), request.Text("mailbox"), request.Cancel);
            return Done(await store.Retention.ClearAsync(account, mailbox, request.Actor, request.Cancel));
        }))
        {
            Query = [new("mailbox", ParameterKind.Text, "That of this mailbox, by name; of a deleted one by its id.")], Status = 204,
        },
        new("POST", "/retention/run", Write, "Releases now what no message names and whose time is over, as the server does by itself.", request =>
        {
            var dryRun = request.BodyOf<NewReleaseDocument>().DryRun;
            return Task.FromResult(jobs.Begin(request, "release", Write, ApiJson.Plain.RetentionRun, async (job, cancel) =>
                await store.Releases.RunAsync(dryRun, request.Actor, new Count(job), cancel) is { } run
                    ? run : Rejection.Limit("Another process is at it; its log says when it is done")));
        })
        {
            Body = ApiJson.Default.NewReleaseDocument, Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.RetentionRun, Status = 202,
        },
        new("GET", "/holds", Read, "The legal holds that stand, the oldest first.", HoldsAsync) { Answer = ApiJson.Default.HoldListDocument },
        Hold("/holds", "Places a hold on an account, a mailbox or everything: nothing of it is released or erased.",
            (wanted, account, mailbox, request) => store.Retention.PlaceAsync(wanted.Case, account, mailbox, wanted.Reason, request.Actor, request.Cancel)),
        Hold("/holds/release", "Ends a hold.",
            (wanted, account, mailbox, request) => store.Retention.ReleaseAsync(wanted.Case, account, mailbox, request.Actor, request.Cancel)),
        new("GET", "/erasures", Read, "What was ordered to be erased, and whether it is.", async request => ApiAnswer.Json(
            new([.. (await store.Erasures.ListAsync(open: false, request.Cancel)).Select(DocumentOf)]), ApiJson.Plain.ErasureListDocument))
        {
            Answer = ApiJson.Default.ErasureListDocument,
        },
        new("POST", "/erasures/continue", Write, "Carries out what was ordered and is not complete, as a server does at its start. Orders nothing.", request =>
            Task.FromResult(jobs.Begin(request, "erasure", Write, ApiJson.Plain.ContinuedErasuresDocument, (job, cancel) => ContinueAsync(job, request, cancel))))
        {
            Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.ContinuedErasuresDocument, Status = 202,
        },
        // It signs a checkpoint, as every proof does.
        new("POST", "/erasures/{id}/certificate", "write:audit", "What was erased, and the proof that its order and its completion are in the log.", CertificateAsync)
        {
            MediaType = "application/json",
        },
    ];

    private async Task<ApiAnswer> RulesAsync(ApiRequest request) => ApiAnswer.Json(
        new(
            settings.Retention.Expunged.TotalDays,
            [.. (await store.Retention.ReadAsync(request.Cancel)).Rules.Select(rule => new RetentionRuleDocument(rule.Account, rule.Mailbox, rule.Days))]),
        ApiJson.Plain.RetentionDocument);

    private async Task<ApiAnswer> HoldsAsync(ApiRequest request) => ApiAnswer.Json(
        new(
        [
            .. (await store.Retention.ReadAsync(request.Cancel)).Holds.OrderBy(placed => placed.Hold.Placed)
                .Select(placed => new HoldDocument(placed.Hold.Case, placed.Account, placed.Hold.Mailbox, placed.Hold.Reason, placed.Hold.Placed)),
        ]),
        ApiJson.Plain.HoldListDocument);

    private Operation Hold(string path, string summary, Func<HoldChangeDocument, string?, Guid?, ApiRequest, Task<Result<Unit>>> change) =>
        new("POST", path, Write, summary, request => TriedAsync(async () =>
        {
            var wanted = request.BodyOf<HoldChangeDocument>();
            if (wanted.All == wanted.Account is not null || (wanted.All && wanted.Mailbox is not null))
                return ApiAnswer.Refused(Rejection.Invalid("Say either account (and mailbox), or all"));
            var (account, mailbox) = wanted.Account is { } named ? await ScopeAsync(named, wanted.Mailbox, request.Cancel) : (null, null);
            return Done(await change(wanted, account, mailbox, request));
        }))
        {
            Body = ApiJson.Default.HoldChangeDocument,
            Status = 204,
        };

    private async Task<(string Account, Guid? Mailbox)> ScopeAsync(string named, string? mailbox, CancellationToken cancel)
    {
        var account = await RetentionScope.AccountAsync(store, named, cancel);
        return (account, await RetentionScope.MailboxAsync(store, account, mailbox, cancel));
    }

    private async Task<JobOutcome<ContinuedErasuresDocument>> ContinueAsync(Job job, ApiRequest request, CancellationToken cancel)
    {
        var open = await store.Erasures.ListAsync(open: true, cancel);
        var completed = new List<Guid>();
        JobProblem? problem = null;
        foreach (var erasure in open)
        {
            try
            {
                await store.Erasures.CarryOutAsync(erasure.Id, request.Actor, cancel);
                completed.Add(erasure.Id);
            }
            catch (ErasureWaitsException waits)
            {
                problem ??= new($"Erasure {erasure.Id} is not complete", waits.Message);
            }
            job.Report(new("erasures", completed.Count, open.Count));
        }
        return new(new(completed), problem);
    }

    private Task<ApiAnswer> CertificateAsync(ApiRequest request) => TriedAsync(async () =>
    {
        if (!Guid.TryParse(request.Path("id"), out var id) || await store.Erasures.FindAsync(id, request.Cancel) is not { } erasure)
            return ApiAnswer.NotFound("erasure");
        if (erasure.End is not { } end)
            return ApiAnswer.Problem(StatusCodes.Status409Conflict, "The erasure is not complete", "`eventmail erase continue` tries again");
        var signed = await AuditCheckpointCommand.SignAsync(store, settings, request.Cancel);
        var proof = await new ProofMaker(store.Log, new(store.Log)).ProveAsync(signed, await store.Erasures.PositionsAsync(id, request.Cancel), request.Cancel);
        var certificate = EraseCommand.Write(erasure, end, proof);
        return ApiAnswer.Of(context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(certificate), context.RequestAborted).AsTask();
        });
    });

    private static ErasureDocument DocumentOf(Erasure erasure) => new(
        erasure.Id, erasure.Ordered, erasure.Completed, erasure.Order.Contents.Length, erasure.Order.Reason, erasure.Order.Case, erasure.Order.Subject);

    private static ApiAnswer Done(Result<Unit> result) => result.Rejection is { } rejection ? ApiAnswer.Refused(rejection) : ApiAnswer.NoContent;

    private static async Task<ApiAnswer> TriedAsync(Func<Task<ApiAnswer>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (error is CommandFailedException or InvalidDataException)
        {
            return ApiAnswer.Problem(StatusCodes.Status422UnprocessableEntity, "It cannot be done", error.Message);
        }
    }

    private sealed class Count(Job job) : IProgress<long>
    {
        public void Report(long value) => job.Report(new("contents", value, null));
    }
}
