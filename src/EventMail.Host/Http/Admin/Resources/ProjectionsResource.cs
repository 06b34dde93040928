using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Projections;
using EventMail.Projections.Verification;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Http.Admin.Resources;

internal sealed record ProjectionListDocument(IReadOnlyList<ReadModelStatus> Items);

/// <param name="Names">Which; without it all of them, or those whose build was begun.</param>
/// <param name="Switch">Changes over to them at the end; else they wait for `/projections/switch`.</param>
/// <param name="Share">While mail comes in: of the time it works, in percent, 1 to 100; the rest of it is left to the mail.</param>
internal sealed record NewBuildDocument(IReadOnlyList<string>? Names = null, bool Switch = true, int Share = (int)(GenerationOptions.DefaultShareBesideOthers * 100));

/// <param name="Names">Which; without it all that have a generation before the live one.</param>
internal sealed record NewRollbackDocument(IReadOnlyList<string>? Names = null);

/// <param name="Names">Which; without it all that can be compared.</param>
/// <param name="Rate">Events a second at most; 0 for no limit.</param>
/// <param name="AllContents">Compares what is derived from messages with all messages.</param>
/// <param name="Sample">Messages whose derived rows are compared otherwise; 0 for none.</param>
internal sealed record NewVerificationDocument(IReadOnlyList<string>? Names = null, int Rate = 0, bool AllContents = false, int Sample = DerivedRowChecks.DefaultSample);

/// <param name="Models">Whose generations are live now.</param>
internal sealed record BuiltDocument(IReadOnlyList<string> Models, long Position);

/// <param name="Models">Which were compared.</param>
/// <param name="Drifts">How many rows are not what the log says.</param>
/// <param name="Rows">The first of them.</param>
internal sealed record VerificationDocument(bool Holds, IReadOnlyList<string> Models, int Drifts, IReadOnlyList<RowDrift> Rows);

/// <param name="Names">Which; without it all that are derived from messages.</param>
internal sealed record NewFillDocument(IReadOnlyList<string>? Names = null);

/// <param name="Done">Contents, or accounts, that were looked at.</param>
/// <param name="Unreadable">Contents that are missing, damaged, erased or without their key: they get no row.</param>
internal sealed record FilledModelDocument(string Model, long Done, long Unreadable);

internal sealed record FilledDocument(IReadOnlyList<FilledModelDocument> Models);

/// <summary>/projections: how the read models stand, and new generations of them beside those that serve.</summary>
internal sealed class ProjectionsResource(MailStore store, HostDatabase database, JobBoard jobs, ILoggerFactory logs)
{
    private const string Read = "read:projections";
    private const string Write = "write:projections";

    /// <summary>Rows that a verification tells one by one.</summary>
    private const int ToldRows = 100;

    // The read models are opened once for all that is asked of them.
    private readonly Lazy<GenerationOptions> _options = new(() => GenerationWork.OptionsOf(store, database, logs));

    private Generations Generations => new(_options.Value);

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/projections", Read, "Each read model: its version, how far it is behind the log, its size, and what is being built.", StatusAsync)
        {
            Answer = ApiJson.Default.ProjectionListDocument,
        },
        Begin("rebuild", "Makes read models anew from the log beside the live ones, then changes over to them. It goes on where an earlier build ended.",
            ApiJson.Default.NewBuildDocument, ApiJson.Default.BuiltDocument, request =>
            {
                var wanted = request.BodyOf<NewBuildDocument>();
                if (wanted.Share is < 1 or > 100)
                    return ApiAnswer.Refused(Domain.Rejection.Invalid("share is a number from 1 to 100: how many percent of the time a build works while mail comes in"));
                return Known(wanted.Names) ?? jobs.Begin(request, "rebuild", Write, ApiJson.Plain.BuiltDocument, (job, cancel) => BuiltAsync(
                    job, report => new Generations(_options.Value with { ShareBesideOthers = wanted.Share / 100.0 })
                        .RebuildAsync(wanted.Names ?? [], wanted.Switch, report, cancel)));
            }),
        Begin("fill", "Makes the rows that are derived from messages, which a build leaves empty, before anybody asks for them.",
            ApiJson.Default.NewFillDocument, ApiJson.Default.FilledDocument, request =>
            {
                var names = request.BodyOf<NewFillDocument>().Names ?? [];
                return names.FirstOrDefault(name => !DerivedRows.Models.Contains(name)) is { } other
                    ? ApiAnswer.Refused(Domain.Rejection.Invalid($"{other} is not derived from messages; there are {string.Join(", ", DerivedRows.Models)}"))
                    : jobs.Begin(request, "fill", Write, ApiJson.Plain.FilledDocument, (job, cancel) => FilledAsync(job, names, cancel));
            }),
        Begin("verify", "Folds the log once more and compares row by row.", ApiJson.Default.NewVerificationDocument, ApiJson.Default.VerificationDocument, request =>
        {
            var wanted = request.BodyOf<NewVerificationDocument>();
            if (wanted.Sample < 0)
                return ApiAnswer.Refused(Domain.Rejection.Invalid("sample is a number of messages, or 0"));
            if (wanted.Rate < 0)
                return ApiAnswer.Refused(Domain.Rejection.Invalid("rate is a number of events, or 0"));
            return Known(wanted.Names) ?? jobs.Begin(request, "verify", Write, ApiJson.Plain.VerificationDocument, async (job, cancel) =>
            {
                var verified = await new VerifyWork(store, _options.Value with { MostEventsPerSecond = wanted.Rate }, wanted.AllContents ? null : wanted.Sample)
                    .RunAsync(wanted.Names ?? [], progress => Tell(job, progress), _ => Task.CompletedTask, request.Actor, cancel);
                List<RowDrift> drifts = [.. verified.SelectMany(model => model.Drifts)];
                return new VerificationDocument(drifts.Count == 0, [.. verified.Select(model => model.Name)], drifts.Count, [.. drifts.Take(ToldRows)]);
            });
        }),
        Begin("switch", "Changes over to what was built.", null, ApiJson.Default.BuiltDocument, request =>
            jobs.Begin(request, "switch", Write, ApiJson.Plain.BuiltDocument, (job, cancel) => BuiltAsync(job, report => Generations.SwitchAsync(report, cancel)))),
        Begin("rollback", "Goes back to the generations before the live ones, which take their place.", ApiJson.Default.NewRollbackDocument, ApiJson.Default.BuiltDocument, request =>
        {
            var names = request.BodyOf<NewRollbackDocument>().Names;
            return Known(names) ?? jobs.Begin(request, "rollback", Write, ApiJson.Plain.BuiltDocument, (job, cancel) => BuiltAsync(
                job, report => Generations.RollbackAsync(names ?? [], report, cancel)));
        }),
        new("DELETE", "/projections/next", Write, "Gives up what is being built.", request => DropAsync(Generations.DropNextAsync(request.Cancel))) { Status = 204 },
        new("DELETE", "/projections/previous", Write, "Throws away the generations before the live ones; there is no going back to them.",
            request => DropAsync(Generations.DropPreviousAsync(request.Cancel))) { Status = 204 },
    ];

    private static Operation Begin(
        string name, string summary, System.Text.Json.Serialization.Metadata.JsonTypeInfo? body, System.Text.Json.Serialization.Metadata.JsonTypeInfo result,
        Func<ApiRequest, ApiAnswer> begin) =>
        new("POST", $"/projections/{name}", Write, summary, request => Task.FromResult(begin(request)))
        {
            Body = body,
            Answer = ApiJson.Default.JobDocument,
            Result = result,
            Status = 202,
        };

    private async Task<ApiAnswer> StatusAsync(ApiRequest request) => ApiAnswer.Json(
        new(await new ReadModelInspection(store.Log.DataSource).StatusAsync(ReadModels.All(logs), request.Cancel)),
        ApiJson.Plain.ProjectionListDocument);

    private ApiAnswer? Known(IReadOnlyList<string>? names) =>
        names?.FirstOrDefault(name => _options.Value.Models.All(model => model.Name != name)) is { } unknown
            ? ApiAnswer.Refused(Domain.Rejection.Invalid($"There is no read model {unknown}; there are {string.Join(", ", _options.Value.Models.Select(model => model.Name))}"))
            : null;

    private static async Task<JobOutcome<BuiltDocument>> BuiltAsync(Job job, Func<Func<BuildProgress, Task>, Task> work)
    {
        var (models, position) = (new SortedSet<string>(StringComparer.Ordinal), 0L);
        await work(progress =>
        {
            if (progress.Phase == BuildPhase.Done)
            {
                models.UnionWith(progress.Models);
                position = progress.Build.Position;
            }
            return Tell(job, progress);
        });
        return new BuiltDocument([.. models], position);
    }

    private async Task<JobOutcome<FilledDocument>> FilledAsync(Job job, IReadOnlyList<string> names, CancellationToken cancel)
    {
        var models = new SortedDictionary<string, FilledModelDocument>(StringComparer.Ordinal);
        await new DerivedRows(store.Log, store.Mailboxes).FillAsync(names, progress =>
        {
            models[progress.Model] = new(progress.Model, progress.Done, progress.Unreadable);
            job.Report(new(progress.Model, progress.Done, progress.Total));
            return Task.CompletedTask;
        }, cancel);
        return new FilledDocument([.. models.Values]);
    }

    private static Task Tell(Job job, BuildProgress progress)
    {
        var build = progress.Build;
        job.Report(new(
            progress.Phase.ToString(), build.Position - build.Began, build.Target - build.Began, build.Left?.TotalSeconds,
            progress.Phase is BuildPhase.Folding or BuildPhase.Done ? null : progress.Why));
        return Task.CompletedTask;
    }

    // Somebody may be building: the refusal says what can be done.
    private static async Task<ApiAnswer> DropAsync(Task drop)
    {
        try
        {
            await drop;
            return ApiAnswer.NoContent;
        }
        catch (GenerationRefusedException error)
        {
            return ApiAnswer.Problem(StatusCodes.Status409Conflict, error.Message);
        }
    }
}
