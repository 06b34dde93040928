using EventMail.EventStore.Proof;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Projections.Retention;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Subject">The id of the account that was erased; absent where messages or strangers were.</param>
/// <param name="Strangers">The day whose logins of names that are no account's were erased; absent where something else was.</param>
/// <param name="Completed">Absent while it is not.</param>
internal sealed record ErasureDocument(
    Guid Id, DateTimeOffset Ordered, DateTimeOffset? Completed, int Contents, string Reason, string? Case, string? Subject, DateOnly? Strangers);

/// <param name="Completed">Their ids.</param>
internal sealed record ContinuedErasuresDocument(IReadOnlyList<Guid> Completed);

/// <param name="Day">In UTC; it must be over.</param>
/// <param name="Reason">Why; stands in the log and in the certificate. There is no erasure without it.</param>
/// <param name="Case">What the matter is called.</param>
/// <param name="DryRun">Only says what would be erased.</param>
internal sealed record NewStrangersErasureDocument(DateOnly Day, string? Reason = null, string? Case = null, bool DryRun = false);

/// <param name="Events">Logins of that day of names that are no account's, whose names and addresses are erased.</param>
/// <param name="Erasure">Its id; absent in a dry run.</param>
/// <param name="UnreadableBefore">Copies of the database from before then cannot be read as far as these go; absent while it is not complete.</param>
internal sealed record ErasedStrangersDocument(DateOnly Day, long Events, Guid? Erasure = null, DateTimeOffset? UnreadableBefore = null);

/// <summary>
/// /erasures: what was erased, and a day's strangers, which are nobody's here. All other erasures are ordered by commands alone: nothing brings back what
/// they take.
/// </summary>
internal sealed class ErasuresResource(MailStore store, HostSettings settings, JobBoard jobs)
{
    private const string Read = "read:retention";
    private const string Continue = "write:retention";

    // One of its own: keys that make rules and holds destroy nothing by that.
    private const string Order = "write:erasures";

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/erasures", Read, "What was ordered to be erased, and whether it is; the oldest first.", ListAsync)
        {
            Query = Parameter.Page(settings.Http.MaxPage), Answer = ApiJson.Default.PageErasureDocument,
        },
        new("POST", "/erasures/strangers", Order, "Erases a day's logins of names that are no account's: the names, and where they came from. Nothing brings them back.", request =>
        {
            var wanted = request.BodyOf<NewStrangersErasureDocument>();
            return Task.FromResult(wanted.DryRun || wanted.Reason is { Length: > 0 }
                ? jobs.Begin(request, "erasure", Order, ApiJson.Plain.ErasedStrangersDocument, (_, cancel) => EraseAsync(wanted, request, cancel))
                : ApiAnswer.Problem(StatusCodes.Status422UnprocessableEntity, "An erasure has a reason"));
        })
        {
            Body = ApiJson.Default.NewStrangersErasureDocument, Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.ErasedStrangersDocument, Status = 202,
        },
        new("POST", "/erasures/continue", Continue, "Carries out what was ordered and is not complete, as a server does at its start. Orders nothing.", request =>
            Task.FromResult(jobs.Begin(request, "erasure", Continue, ApiJson.Plain.ContinuedErasuresDocument, (job, cancel) => ContinueAsync(job, request, cancel))))
        {
            Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.ContinuedErasuresDocument, Status = 202,
        },
        // It signs a checkpoint, as every proof does.
        new("POST", "/erasures/{id}/certificate", "write:audit", "What was erased, and the proof that its order and its completion are in the log.", CertificateAsync)
        {
            MediaType = "application/json",
        },
    ];

    private async Task<ApiAnswer> ListAsync(ApiRequest request)
    {
        var after = Guid.Empty;
        if (request.Text("after") is { } cursor && !Guid.TryParse(cursor, out after))
            return ApiAnswer.BadParameter("after is the `next` of a page");
        var erasures = await store.Erasures.ListAsync(open: false, request.Cancel, after, request.Limit + 1);
        return ApiAnswer.Json(
            await Page<ErasureDocument>.OfAsync(erasures.ToAsyncEnumerable(), request.Limit, DocumentOf, erasure => erasure.Id.ToString(), request.Cancel),
            ApiJson.Plain.PageErasureDocument);
    }

    private async Task<JobOutcome<ErasedStrangersDocument>> EraseAsync(NewStrangersErasureDocument wanted, ApiRequest request, CancellationToken cancel)
    {
        var found = await store.Erasures.StrangersAsync(wanted.Day, cancel);
        var events = found.Sealed ? found.Events : 0;
        if (wanted.DryRun)
            return new ErasedStrangersDocument(wanted.Day, events);
        var (id, rejection) = await store.Erasures.OrderStrangersAsync(wanted.Day, wanted.Reason!, wanted.Case, request.Actor, cancel);
        if (rejection is not null)
            return rejection;
        try
        {
            var end = await store.Erasures.CarryOutAsync(id, request.Actor, cancel);
            return new ErasedStrangersDocument(wanted.Day, events, id, end.UnreadableBefore);
        }
        catch (ErasureWaitsException waits)
        {
            return new(new(wanted.Day, events, id), NotComplete(id, waits));
        }
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
                problem ??= NotComplete(erasure.Id, waits);
            }
            job.Report(new("erasures", completed.Count, open.Count));
        }
        return new(new(completed), problem);
    }

    private Task<ApiAnswer> CertificateAsync(ApiRequest request) => RetentionResource.TriedAsync(async () =>
    {
        if (!Guid.TryParse(request.Path("id"), out var id) || await store.Erasures.FindAsync(id, request.Cancel) is not { } erasure)
            return ApiAnswer.NotFound("erasure");
        if (erasure.End is not { } end)
            return ApiAnswer.Problem(StatusCodes.Status409Conflict, "The erasure is not complete", "`eventmail erase continue` tries again");
        var signed = await AuditCheckpointCommand.SignAsync(store, settings, request.Cancel);
        var proof = await new ProofMaker(store.Log, new(store.Log)).ProveAsync(signed, await store.Erasures.PositionsAsync(id, request.Cancel), request.Cancel);
        var certificate = EraseCommand.Write(erasure, end, proof, await EraseCommand.PlacesAsync(store, erasure, request.Cancel));
        return ApiAnswer.Of(context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(certificate), context.RequestAborted).AsTask();
        });
    });

    private static JobProblem NotComplete(Guid id, ErasureWaitsException waits) => new($"Erasure {id} is not complete", waits.Message);

    private static ErasureDocument DocumentOf(Erasure erasure)
    {
        var order = erasure.Order;
        return new(
            erasure.Id, erasure.Ordered, erasure.Completed, order.Contents.Length, order.Reason, order.Case, order.Strangers is null ? order.Subject : null, order.Strangers);
    }
}
