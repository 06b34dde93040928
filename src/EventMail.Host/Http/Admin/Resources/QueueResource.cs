using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.EventStore;
using EventMail.Host.Composition;
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

/// <summary>/queue: mail on its way to other servers.</summary>
internal sealed class QueueResource(MailStore store, int maxPage)
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
        Change("retry", "Tries again now, whatever the schedule says.", [Domain],
            (request, delivery) => _operations.RetryAsync(delivery, request.Text("domain"), request.Actor, request.Cancel)),
        Change("cancel", "Takes recipients out of the queue. Nobody is told of it.", [Domain, Reason],
            (request, delivery) => _operations.CancelAsync(delivery, request.Text("domain"), request.Text("reason"), request.Actor, request.Cancel)),
        Change("hold", "Stops a message until it is released.", [Reason],
            (request, delivery) => _operations.HoldAsync(delivery, request.Text("reason"), request.Actor, request.Cancel)),
        Change("release", "Lets a held message go on.", [],
            (request, delivery) => _operations.ReleaseAsync(delivery, request.Actor, request.Cancel)),
    ];

    private async Task<ApiAnswer> ListAsync(ApiRequest request)
    {
        if (!TryDomain(request, out var domain, out var refusal))
            return refusal!;
        var after = default((Guid, string)?);
        if (request.Text("after") is { } text)
        {
            var slash = text.IndexOf('/');
            if (slash < 0 || !Guid.TryParse(text[..slash], out var id))
                return ApiAnswer.BadParameter("after is the `next` of a page");
            after = (id, text[(slash + 1)..]);
        }
        var sender = request.Text("sender") is ['<', .. var inner, '>'] ? inner : request.Text("sender");
        return ApiAnswer.Json(
            await Page<QueueDocument>.OfAsync(
                _operations.Queries.ListAsync(new(null, domain, sender, request.Flag("held")), after, request.Cancel), request.Limit,
                QueueDocument.Of, row => $"{row.Delivery.Id}/{row.Domain}", request.Cancel),
            ApiJson.Plain.PageQueueDocument);
    }

    private async Task<ApiAnswer> ShowAsync(ApiRequest request) =>
        Guid.TryParse(request.Path("id"), out var id) && await _operations.ShowAsync(id, request.Cancel) is { } report
            ? ApiAnswer.Json(report, ApiJson.Plain.DeliveryReport)
            : Missing;

    private Operation Change(string name, string summary, IReadOnlyList<Parameter> query, Func<ApiRequest, StreamKey, Task<Result<Unit>>> change) =>
        new("POST", $"/queue/{{id}}/{name}", Write, summary, async request =>
        {
            if (!TryDomain(request, out _, out var refusal))
                return refusal!;
            if (!Guid.TryParse(request.Path("id"), out var id) || await _operations.Queries.FindAsync(id, request.Cancel) is not { } delivery)
                return Missing;
            return (await change(request, delivery)).Rejection is { } rejection ? ApiAnswer.Refused(rejection) : ApiAnswer.NoContent;
        })
        {
            Query = query,
            Status = 204,
        };

    // Address literals are no domain names, and are waited in as they are.
    private static bool TryDomain(ApiRequest request, out string? domain, out ApiAnswer? refusal)
    {
        (domain, refusal) = (request.Text("domain"), null);
        if (domain is null || domain[0] == '[' || MailAddress.TryCanonicalDomain(domain, out domain))
            return true;
        refusal = ApiAnswer.BadParameter("domain is no domain");
        return false;
    }
}
