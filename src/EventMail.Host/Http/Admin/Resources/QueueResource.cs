using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Projections.Deliveries;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>A message's row for one domain.</summary>
/// <param name="Account">The sender's id.</param>
internal sealed record QueueDocument(
    Guid Id, string Account, string Domain, string Sender, int Recipients, long Size, DateTimeOffset Submitted, int Attempts, DateTimeOffset Due,
    bool Held, bool Suspended, bool Claimed, string? Reason)
{
    public static QueueDocument Of(QueueEntry row) => new(
        row.Delivery.Id, row.Delivery.Tenant, row.Domain, row.Sender, row.Recipients, row.Size, row.Submitted, row.Attempts, row.Due, row.Held,
        row.Suspended, row.Claimed, row.Reason);
}

/// <summary>Which messages: of a domain, of a sender, of both, or all.</summary>
/// <param name="Sender">The reverse-path; `&lt;&gt;` for notifications.</param>
/// <param name="All">Needed where neither is said.</param>
/// <param name="Reason">For the log; of cancel and hold.</param>
internal sealed record QueueChoiceDocument(string? Domain = null, string? Sender = null, bool All = false, string? Reason = null);

/// <param name="Changed">Messages.</param>
/// <param name="Refused">Messages that are left as they are, by the reason.</param>
internal sealed record QueueSweptDocument(long Changed, IReadOnlyDictionary<string, long> Refused);

/// <summary>/queue: mail on its way to other servers.</summary>
internal sealed class QueueResource(MailStore store, JobBoard jobs, int maxPage)
{
    private const string Read = "read:queue";
    private const string Write = "write:queue";

    private static readonly Parameter Domain = new("domain", ParameterKind.Text, "Recipients of this domain.");
    private static readonly Parameter Reason = new("reason", ParameterKind.Text, "For the log.");
    private static readonly ApiAnswer Missing = ApiAnswer.NotFound("message");

    private readonly DeliveryOperations _operations = store.Deliveries.Operations;

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/queue", Read, "What waits, in the order of submission: an entry for each message and domain.", ListAsync)
        {
            Query =
            [
                .. Parameter.Page(maxPage), Domain, new("sender", ParameterKind.Text, "The reverse-path; `<>` for notifications."),
                new("held", ParameterKind.Flag, "Only what is held, or only what is not."),
            ],
            Answer = ApiJson.Default.PageQueueDocument,
        },
        new("GET", "/queue/{id}", Read, "A message and what happened to each of its recipients, also when it is delivered.", ShowAsync)
        {
            Answer = ApiJson.Default.DeliveryReport,
        },
        .. Change("retry", "Tries again now, whatever the schedule says.", [Domain],
            (request, delivery, domain, _, cancel) => _operations.RetryAsync(delivery, domain, request.Actor, cancel)),
        .. Change("cancel", "Takes recipients out of the queue. Nobody is told of it.", [Domain, Reason],
            (request, delivery, domain, reason, cancel) => _operations.CancelAsync(delivery, domain, reason, request.Actor, cancel)),
        .. Change("hold", "Stops messages until they are released.", [Reason],
            (request, delivery, _, reason, cancel) => _operations.HoldAsync(delivery, reason, request.Actor, cancel)),
        .. Change("release", "Lets held messages go on.", [],
            (request, delivery, _, _, cancel) => _operations.ReleaseAsync(delivery, request.Actor, cancel)),
    ];

    private async Task<ApiAnswer> ListAsync(ApiRequest request)
    {
        if (!TryDomain(request.Text("domain"), out var domain, out var refusal))
            return refusal!;
        var after = default((Guid, string)?);
        if (request.Text("after") is { } text)
        {
            var slash = text.IndexOf('/');
            if (slash < 0 || !Guid.TryParse(text[..slash], out var id))
                return ApiAnswer.BadParameter("after is the `next` of a page");
            after = (id, text[(slash + 1)..]);
        }
        return ApiAnswer.Json(
            await Page<QueueDocument>.OfAsync(
                _operations.Queries.ListAsync(new(null, domain, PathOf(request.Text("sender")), request.Flag("held")), after, request.Cancel), request.Limit,
                QueueDocument.Of, row => $"{row.Delivery.Id}/{row.Domain}", request.Cancel),
            ApiJson.Plain.PageQueueDocument);
    }

    private async Task<ApiAnswer> ShowAsync(ApiRequest request) =>
        Guid.TryParse(request.Path("id"), out var id) && await _operations.ShowAsync(id, request.Cancel) is { } report
            ? ApiAnswer.Json(report, ApiJson.Plain.DeliveryReport)
            : Missing;

    private delegate Task<Result<Unit>> DeliveryChange(ApiRequest request, StreamKey delivery, string? domain, string? reason, CancellationToken cancel);

    // One message, by its id; and all that match, as a job.
    private IEnumerable<Operation> Change(string name, string summary, IReadOnlyList<Parameter> query, DeliveryChange change) =>
    [
        new("POST", $"/queue/{{id}}/{name}", Write, summary, async request =>
        {
            if (!TryDomain(request.Text("domain"), out var domain, out var refusal))
                return refusal!;
            if (!Guid.TryParse(request.Path("id"), out var id) || await _operations.Queries.FindAsync(id, request.Cancel) is not { } delivery)
                return Missing;
            return (await change(request, delivery, domain, request.Text("reason"), request.Cancel)).Rejection is { } rejection ? ApiAnswer.Refused(rejection) : ApiAnswer.NoContent;
        })
        {
            Query = query,
            Status = 204,
        },
        new("POST", $"/queue/{name}", Write, $"{summary} All that match.", request =>
        {
            var wanted = request.BodyOf<QueueChoiceDocument>();
            if (!TryDomain(wanted.Domain, out var domain, out var refusal))
                return Task.FromResult(refusal!);
            if (wanted is { Domain: null, Sender: null, All: false })
                return Task.FromResult(ApiAnswer.Refused(Rejection.Invalid($"Say what to {name}: domain, sender, or all")));
            return Task.FromResult(jobs.Begin(request, $"queue-{name}", Write, ApiJson.Plain.QueueSweptDocument, async (job, cancel) =>
            {
                var swept = await QueueSweep.RunAsync(
                    _operations.Queries, new(null, domain, PathOf(wanted.Sender)), delivery => change(request, delivery, domain, wanted.Reason, cancel),
                    seen => job.Report(new("messages", seen, null)), cancel);
                return new QueueSweptDocument(swept.Changed, swept.Refused);
            }));
        })
        {
            Body = ApiJson.Default.QueueChoiceDocument, Answer = ApiJson.Default.JobDocument, Result = ApiJson.Default.QueueSweptDocument, Status = 202,
        },
    ];

    private static string? PathOf(string? sender) => sender is ['<', .. var inner, '>'] ? inner : sender;

    // Address literals are no domain names, and are waited in as they are.
    private static bool TryDomain(string? given, out string? domain, out ApiAnswer? refusal)
    {
        (domain, refusal) = (given, null);
        if (domain is null || domain.StartsWith('[') || MailAddress.TryCanonicalDomain(domain, out domain))
            return true;
        refusal = ApiAnswer.BadParameter("domain is no domain");
        return false;
    }
}
