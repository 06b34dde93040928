using System.Globalization;
using EventMail.Domain.ApiKeys;
using EventMail.Domain.Webhooks;
using EventMail.Host.Composition;
using EventMail.Projections.Webhooks;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Resources;

/// <param name="Url">Without its query, which may be a secret.</param>
/// <param name="Types">Absent for all.</param>
/// <param name="Account">The id of the account whose events it is told; absent for all.</param>
/// <param name="Position">Up to where it was told of the log.</param>
internal sealed record WebhookDocument(string Id, string Url, IReadOnlyList<string>? Types, string? Account, DateTimeOffset Added, long Position);

internal sealed record WebhookListDocument(IReadOnlyList<WebhookDocument> Items);

/// <param name="Url">Of https, on the Internet or in a network of Webhooks:AllowedNetworks; of http on this machine, where that has it.</param>
/// <param name="Types">Types of events; without it all.</param>
/// <param name="Account">Only events of this account, by address or id.</param>
internal sealed record NewWebhookDocument(string Url, IReadOnlyList<string>? Types = null, string? Account = null);

/// <param name="Secret">What its requests are signed with: shown this once.</param>
internal sealed record AddedWebhookDocument(string Id, string Secret);

/// <param name="Again">It is to be tried again, and was not yet.</param>
internal sealed record DeadLetterDocument(string Webhook, long Position, string Type, DateTimeOffset Failed, int Attempts, string Reason, bool Again);

internal sealed record CountDocument(int Count);

/// <summary>/webhooks: who is told of what is in the log, and what they did not take.</summary>
internal sealed class WebhooksResource(MailStore store, int maxPage)
{
    private const string Read = "read:webhooks";
    private const string Write = "write:webhooks";

    // Whoever adds one is told what the stream of events would tell them.
    private const string Told = "read:events";

    private static readonly Parameter Position = new("position", ParameterKind.Number, "Only the dead letter of the event at this position; all of the webhook's without it.", 1);

    private static readonly ApiAnswer NoLetter = ApiAnswer.NotFound("dead letter");

    private readonly WebhookService _webhooks = store.Webhooks;

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/webhooks", Read, "The webhooks and up to where each was told of the log, the oldest first.", ListAsync) { Answer = ApiJson.Default.WebhookListDocument },
        new("POST", "/webhooks", Write, $"Tells a URL of events from now on. Also needs the scope `{Told}`: they have people's addresses in them.", AddAsync)
        {
            Body = ApiJson.Default.NewWebhookDocument, Answer = ApiJson.Default.AddedWebhookDocument, Status = 201,
        },
        new("GET", "/webhooks/{webhook}", Read, "A webhook, and up to where it was told of the log.", async request =>
            (await _webhooks.ListAsync(request.Cancel)).FirstOrDefault(known => known.Id == request.Path("webhook")) is { } hook
                ? ApiAnswer.Json(await DocumentAsync(hook, request.Cancel), ApiJson.Plain.WebhookDocument) : ApiAnswer.NotFound("webhook"))
        {
            Answer = ApiJson.Default.WebhookDocument,
        },
        new("DELETE", "/webhooks/{webhook}", Write, "Tells a webhook nothing more, and forgets its dead letters.", async request =>
            (await _webhooks.RemoveAsync(request.Path("webhook"), request.Actor, request.Cancel)).Rejection is { } rejection ? ApiAnswer.Refused(rejection) : ApiAnswer.NoContent)
        {
            Status = 204,
        },
        new("GET", "/webhooks/dead", Read, "The events that webhooks did not take, by webhook and in the order of the log.", DeadAsync)
        {
            Query = [.. Parameter.Page(maxPage), new("webhook", ParameterKind.Text, "Of this one.")], Answer = ApiJson.Default.PageDeadLetterDocument,
        },
        new("POST", "/webhooks/{webhook}/retry", Write, "Tries dead letters once more, within seconds.", async request =>
            await _webhooks.Progress.RetryAsync(request.Path("webhook"), request.Number("position"), request.Cancel) is > 0 and var marked
                ? ApiAnswer.Json(new(marked), ApiJson.Plain.CountDocument) : NoLetter)
        {
            Query = [Position], Answer = ApiJson.Default.CountDocument,
        },
        new("DELETE", "/webhooks/{webhook}/dead", Write, "Gives dead letters up: the webhook is never told of these events.", async request =>
            await _webhooks.Progress.DropAsync(request.Path("webhook"), request.Number("position"), request.Cancel) > 0 ? ApiAnswer.NoContent : NoLetter)
        {
            Query = [Position], Status = 204,
        },
    ];

    private async Task<ApiAnswer> ListAsync(ApiRequest request)
    {
        var documents = new List<WebhookDocument>();
        foreach (var hook in await _webhooks.ListAsync(request.Cancel))
            documents.Add(await DocumentAsync(hook, request.Cancel));
        return ApiAnswer.Json(new(documents), ApiJson.Plain.WebhookListDocument);
    }

    private async Task<WebhookDocument> DocumentAsync(Webhook hook, CancellationToken cancel) => new(
        hook.Id, hook.Url.Split('?')[0], hook.Types, hook.Account, hook.Added, await _webhooks.Progress.PositionAsync(hook.Id, cancel) ?? hook.From);

    private async Task<ApiAnswer> AddAsync(ApiRequest request)
    {
        if (!ApiScopes.Allow(request.Key.Scopes, Told))
            return ApiAnswer.Problem(StatusCodes.Status403Forbidden, "The API key does not allow this", $"It needs the scope {Told} as well: a webhook is told what /events tells");
        var wanted = request.BodyOf<NewWebhookDocument>();
        var owner = default(string);
        if (wanted.Account is { } named)
        {
            owner = (named.Contains('@', StringComparison.Ordinal)
                ? await store.Directory.FindAsync(named, request.Cancel) : await store.Directory.GetAsync(named, request.Cancel))?.Account;
            if (owner is null)
                return AccountFinder.Missing;
        }
        var (added, rejection) = await _webhooks.AddAsync(wanted.Url, wanted.Types is { Count: > 0 } types ? types : null, owner, request.Actor, request.Cancel);
        return rejection is not null
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Created($"/webhooks/{added!.Id}", new AddedWebhookDocument(added.Id, added.Secret), ApiJson.Plain.AddedWebhookDocument);
    }

    private async Task<ApiAnswer> DeadAsync(ApiRequest request)
    {
        var after = default((string, long)?);
        if (request.Text("after") is { } cursor)
        {
            var slash = cursor.IndexOf('/');
            if (slash < 0 || !long.TryParse(cursor[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var position))
                return ApiAnswer.BadParameter("after is the `next` of a page");
            after = (cursor[..slash], position);
        }
        var letters = await _webhooks.Progress.DeadAsync(request.Text("webhook"), again: false, request.Limit + 1, request.Cancel, after);
        return ApiAnswer.Json(
            await Page<DeadLetterDocument>.OfAsync(
                letters.ToAsyncEnumerable(), request.Limit,
                letter => new(letter.Hook, letter.Position, letter.Type, letter.Failed, letter.Attempts, letter.Reason, letter.Again),
                letter => string.Create(CultureInfo.InvariantCulture, $"{letter.Hook}/{letter.Position}"), request.Cancel),
            ApiJson.Plain.PageDeadLetterDocument);
    }
}
