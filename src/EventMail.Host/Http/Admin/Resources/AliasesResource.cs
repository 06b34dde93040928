using EventMail.Host.Composition;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/aliases: addresses that lead to others here.</summary>
internal sealed class AliasesResource(MailStore store, int maxPage)
{
    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/aliases", "read:aliases", "All aliases, by domain and name.", ListAsync) { Query = Parameter.Page(maxPage), Answer = ApiJson.Default.PageAliasDocument },
        new("POST", "/aliases", "write:aliases", "Adds an alias.", AddAsync)
        {
            Body = ApiJson.Default.AliasDocument, Answer = ApiJson.Default.AliasDocument, Status = 201,
        },
        new("DELETE", "/aliases/{address}", "write:aliases", "Removes an alias.", RemoveAsync) { Status = 204 },
    ];

    private async Task<ApiAnswer> ListAsync(ApiRequest request) => ApiAnswer.Json(
        await Page<AliasDocument>.OfAsync(
            store.Queries.AliasesAsync(request.Cancel, new(request.Text("after"), request.Limit + 1)), request.Limit,
            alias => new AliasDocument(alias.Address, alias.Targets), alias => alias.Address, request.Cancel),
        ApiJson.Plain.PageAliasDocument);

    private async Task<ApiAnswer> AddAsync(ApiRequest request)
    {
        var wanted = request.BodyOf<AliasDocument>();
        return (await store.Domains.AddAliasAsync(wanted.Address, wanted.Targets, request.Actor, request.Cancel)).Rejection is { } rejection
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Created($"/aliases/{Uri.EscapeDataString(wanted.Address)}", wanted, ApiJson.Plain.AliasDocument);
    }

    private async Task<ApiAnswer> RemoveAsync(ApiRequest request) =>
        (await store.Domains.RemoveAliasAsync(request.Path("address"), request.Actor, request.Cancel)).Rejection is { } rejection
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.NoContent;
}
