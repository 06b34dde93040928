using System.Net;
using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.DomainChecks;
using EventMail.Protocols.MailAuth.Dkim;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/domains: what mail is taken for, and the keys that sign it.</summary>
internal sealed class DomainsResource(MailStore store, NameServices names, HostSettings settings)
{
    private const string Read = "read:domains";
    private const string Write = "write:domains";

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/domains", Read, "All mail domains.", ListAsync) { Query = Parameter.Page(settings.Http.MaxPage), Answer = ApiJson.Default.PageDomainDocument },
        new("POST", "/domains", Write, "Takes mail for a domain from now on.", AddAsync)
        {
            Body = ApiJson.Default.NewDomainDocument, Answer = ApiJson.Default.DomainDocument, Status = 201,
        },
        new("GET", "/domains/{domain}", Read, "A mail domain.", async request => await store.Queries.DomainAsync(CanonicalOf(request), request.Cancel) is { } domain
            ? ApiAnswer.Json(DomainDocument.Of(domain), ApiJson.Plain.DomainDocument) : ApiAnswer.NotFound("domain"))
        {
            Answer = ApiJson.Default.DomainDocument,
        },
        new("DELETE", "/domains/{domain}", Write, "Takes no more mail for a domain. Refused while it has accounts or aliases.",
            async request => Done(await store.Domains.RemoveDomainAsync(request.Path("domain"), request.Actor, request.Cancel))) { Status = 204 },
        new("GET", "/domains/{domain}/check", Read, "Compares a domain's DNS records with what this server needs.", CheckAsync)
        {
            Query = [new("address", ParameterKind.Text, "An address that this server sends from and is reached at; those of its name when not given.")],
            Answer = ApiJson.Default.DomainCheckListDocument,
        },
        new("GET", "/domains/{domain}/dkim", Read, "Its DKIM keys with their DNS records, the newest last.", KeysAsync) { Answer = ApiJson.Default.DkimKeyListDocument },
        new("POST", "/domains/{domain}/dkim", Write, "Makes a DKIM key. It signs nothing until it is activated.", AddKeyAsync)
        {
            Body = ApiJson.Default.NewDkimKeyDocument, Answer = ApiJson.Default.DkimKeyDocument, Status = 201,
        },
        new("POST", "/domains/{domain}/dkim/{selector}/activate", Write, "Signs with it from now on; refused while its record is not in the DNS.", ActivateAsync)
        {
            Query = [new("force", ParameterKind.Flag, "Without a look at the DNS.")], Status = 204,
        },
        new("POST", "/domains/{domain}/dkim/{selector}/retire", Write, "Signs no more with it.",
            async request => Done(await store.DkimKeys.RetireAsync(request.Path("domain"), request.Path("selector"), request.Actor, request.Cancel))) { Status = 204 },
    ];

    private async Task<ApiAnswer> ListAsync(ApiRequest request) => ApiAnswer.Json(
        await Page<DomainDocument>.OfAsync(
            store.Queries.DomainsAsync(request.Cancel, new(request.Text("after"), request.Limit + 1)), request.Limit,
            DomainDocument.Of, domain => domain.Name, request.Cancel),
        ApiJson.Plain.PageDomainDocument);

    private async Task<ApiAnswer> AddAsync(ApiRequest request)
    {
        var wanted = request.BodyOf<NewDomainDocument>();
        if ((await store.Domains.AddDomainAsync(wanted.Name, request.Actor, request.Cancel)).Rejection is { } rejection)
            return ApiAnswer.Refused(rejection);
        var name = CanonicalOf(wanted.Name);
        return ApiAnswer.Created($"/domains/{Uri.EscapeDataString(name)}", new DomainDocument(name, 0), ApiJson.Plain.DomainDocument);
    }

    private async Task<ApiAnswer> CheckAsync(ApiRequest request)
    {
        var addresses = new List<IPAddress>();
        if (request.Text("address") is { } text)
        {
            if (!IPAddress.TryParse(text, out var address))
                return ApiAnswer.BadParameter("address is an IP address");
            addresses.Add(address);
        }
        var (setup, rejection) = await DomainSetups.OfAsync(store, settings, request.Path("domain"), addresses, request.Cancel);
        if (rejection is not null)
            return ApiAnswer.Refused(rejection);
        var lines = await new DomainCheck(setup!, names.Dns, names.Policies, names.Dane, TimeProvider.System).RunAsync(request.Cancel);
        return ApiAnswer.Json(
            new(lines.All(line => line.IsOptional || line.Status == CheckStatus.Ok), [.. lines.Select(DomainCheckDocument.Of)]), ApiJson.Plain.DomainCheckListDocument);
    }

    private async Task<ApiAnswer> KeysAsync(ApiRequest request)
    {
        var (keys, rejection) = await store.DkimKeys.ListAsync(request.Path("domain"), request.Cancel);
        return rejection is not null
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Json(new DkimKeyListDocument([.. keys!.Select(key => DkimKeyDocument.Of(CanonicalOf(request), key))]), ApiJson.Plain.DkimKeyListDocument);
    }

    private async Task<ApiAnswer> AddKeyAsync(ApiRequest request)
    {
        var wanted = request.BodyOf<NewDkimKeyDocument>();
        if (wanted.Algorithm is not ("rsa" or "ed25519"))
            return ApiAnswer.Refused(Rejection.Invalid("algorithm is rsa or ed25519"));
        var pair = DkimKeyPair.Generate(DkimAlgorithms.OfKeyType(wanted.Algorithm));
        var added = await store.DkimKeys.AddAsync(
            request.Path("domain"), wanted.Selector, wanted.Algorithm, pair.PublicKey, pair.PrivateKey, request.Actor, request.Cancel);
        if (added.Rejection is { } rejection)
            return ApiAnswer.Refused(rejection);
        var key = new DkimKey(wanted.Selector.ToLowerInvariant(), wanted.Algorithm, pair.PublicKey, null, DkimKeyStatus.Waiting);
        return ApiAnswer.Created(
            $"/domains/{Uri.EscapeDataString(request.Path("domain"))}/dkim", DkimKeyDocument.Of(CanonicalOf(request), key), ApiJson.Plain.DkimKeyDocument);
    }

    private async Task<ApiAnswer> ActivateAsync(ApiRequest request)
    {
        var (domain, selector) = (request.Path("domain"), request.Path("selector").ToLowerInvariant());
        var (keys, rejection) = await store.DkimKeys.ListAsync(domain, request.Cancel);
        if (rejection is not null)
            return ApiAnswer.Refused(rejection);
        if (keys!.FirstOrDefault(key => key.Selector == selector) is not { } key)
            return ApiAnswer.Refused(AccountRejections.DkimKeyMissing);
        var record = new DkimRecord(CanonicalOf(request), selector, DkimAlgorithms.OfKeyType(key.Algorithm), key.PublicKey);
        if (request.Flag("force") != true && await record.FaultAsync(names.Dns, request.Cancel) is { } fault)
            return ApiAnswer.Problem(409, "The key is not activated: its signatures could not be verified", fault);
        return Done(await store.DkimKeys.ActivateAsync(domain, selector, request.Actor, request.Cancel));
    }

    private static string CanonicalOf(ApiRequest request) => CanonicalOf(request.Path("domain"));

    private static string CanonicalOf(string domain) => MailAddress.TryCanonicalDomain(domain, out var name) ? name : domain;

    private static ApiAnswer Done(Result<Unit> result) => result.Rejection is { } rejection ? ApiAnswer.Refused(rejection) : ApiAnswer.NoContent;
}
