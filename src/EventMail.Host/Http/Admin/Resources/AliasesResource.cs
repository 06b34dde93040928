using EventMail.Domain.Accounts;
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
        new("GET", "/aliases/{address}", "read:aliases", "An alias.", async request => await FindAsync(request.Path("address"), request) is { } alias
            ? ApiAnswer.Json(alias, ApiJson.Plain.AliasDocument) : ApiAnswer.NotFound("alias"))
        {
            Answer = ApiJson.Default.AliasDocument,
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
        if ((await store.Domains.AddAliasAsync(wanted.Address, wanted.Targets, request.Actor, request.Cancel)).Rejection is { } rejection)
            return ApiAnswer.Refused(rejection);
        // As it is kept: addresses in their one form, none of them twice. Somebody may have removed it since.
        var added = await FindAsync(wanted.Address, request) ?? wanted;
        return ApiAnswer.Created($"/aliases/{Uri.EscapeDataString(added.Address)}", added, ApiJson.Plain.AliasDocument);
    }

    private async Task<AliasDocument?> FindAsync(string address, ApiRequest request) =>
        MailAddress.TryParse(address, out var named, out _) && await store.Queries.AliasAsync(named.ToString(), request.Cancel) is { } alias
            ? new(alias.Address, alias.Targets) : null;

    private async Task<ApiAnswer> RemoveAsync(ApiRequest request) =>
        (await store.Domains.RemoveAliasAsync(request.Path("address"), request.Actor, request.Cancel)).Rejection is { } rejection
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.NoContent;
}
