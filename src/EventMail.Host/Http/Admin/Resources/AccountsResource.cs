using EventMail.Domain;
using EventMail.Domain.Accounts;
using EventMail.Host.Composition;
using EventMail.Projections.Accounts;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/accounts: who has mail here.</summary>
internal sealed class AccountsResource(MailStore store, AccountFinder finder, int maxPage)
{
    private const string Read = "read:accounts";
    private const string Write = "write:accounts";

    private readonly AccountService _accounts = store.Accounts;

    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/accounts", Read, "All accounts, by domain and name.", ListAsync)
        {
            Query = Parameter.Page(maxPage), Answer = ApiJson.Default.PageAccountSummaryDocument,
        },
        new("POST", "/accounts", Write, "Opens an account with its first mailboxes; its domain is added with it.", OpenAsync)
        {
            Body = ApiJson.Default.NewAccountDocument, Answer = ApiJson.Default.OpenedAccountDocument, Status = 201,
        },
        new("GET", "/accounts/{account}", Read, "What is known of an account.", request => finder.WithAsync(request, account => GetAsync(request, account)))
        {
            Answer = ApiJson.Default.AccountDocument,
        },
        new("DELETE", "/accounts/{account}", Write, "Closes an account and deletes its mailboxes. Its address is free again, its log stays.",
            request => ChangeAsync(request, address => _accounts.CloseAsync(address, request.Actor, request.Cancel))) { Status = 204 },
        new("POST", "/accounts/{account}/suspend", Write, "Refuses logins until it is resumed.",
            request => ChangeAsync(request, address => _accounts.SuspendAsync(address, request.BodyOf<ReasonDocument>().Reason, request.Actor, request.Cancel)))
        {
            Body = ApiJson.Default.ReasonDocument, Status = 204,
        },
        new("POST", "/accounts/{account}/resume", Write, "Ends a suspension.",
            request => ChangeAsync(request, address => _accounts.ResumeAsync(address, request.Actor, request.Cancel))) { Status = 204 },
        new("PUT", "/accounts/{account}/password", Write, "Sets a password; without one it is made and answered. What the old one proved is void at once.", SetPasswordAsync)
        {
            Body = ApiJson.Default.NewPasswordDocument, Answer = ApiJson.Default.PasswordDocument,
        },
        new("GET", "/accounts/{account}/quota", Read, "How much mail it may keep.", request => finder.WithAsync(request, account => Task.FromResult(ApiAnswer.Json(
            new QuotaDocument(account.QuotaLimit, account.MessageLimit), ApiJson.Plain.QuotaDocument, TagOf(new(account.QuotaLimit, account.MessageLimit))))))
        {
            Answer = ApiJson.Default.QuotaDocument, IfMatch = true,
        },
        new("PUT", "/accounts/{account}/quota", Write, "Sets how much mail it may keep.", SetQuotaAsync)
        {
            Body = ApiJson.Default.QuotaDocument, Answer = ApiJson.Default.QuotaDocument, IfMatch = true,
        },
        new("GET", "/accounts/{account}/audit-reads", "read:audit", "Whether reads of the account's mail, and what it reads of others', are events.",
            request => finder.WithAsync(request, async account => ApiAnswer.Json(
                new AuditedReadsDocument((await store.Queries.AccountAsync(account.Account, request.Cancel))?.AuditReads == true), ApiJson.Plain.AuditedReadsDocument)))
        {
            Answer = ApiJson.Default.AuditedReadsDocument,
        },
        // Whoever may end it could read what nobody is to know that they read.
        new("PUT", "/accounts/{account}/audit-reads", "write:audit", "Whether reads of the account's mail, and what it reads of others', are events. Its clients are not told.", request =>
        {
            var wanted = request.BodyOf<AuditReadsDocument>();
            return ChangeAsync(request, address => _accounts.SetAuditReadsAsync(address, wanted.Enabled, wanted.Reason, request.Actor, request.Cancel));
        })
        {
            Body = ApiJson.Default.AuditReadsDocument, Status = 204,
        },
        new("PUT", "/accounts/{account}/save-sent", Write, "Whether the server keeps a copy of what the account submits in its Sent mailbox.",
            request => ChangeAsync(request, address => _accounts.SetSaveSentAsync(address, request.BodyOf<SaveSentDocument>().Enabled, request.Actor, request.Cancel)))
        {
            Body = ApiJson.Default.SaveSentDocument, Status = 204,
        },
        new("GET", "/accounts/{account}/app-passwords", Read, "Its app passwords by name, without what they are.",
            request => finder.WithAsync(request, async account => ApiAnswer.Json(
                new(await _accounts.AppPasswordsAsync(account.Account, request.Cancel)), ApiJson.Plain.AppPasswordListDocument)))
        {
            Answer = ApiJson.Default.AppPasswordListDocument,
        },
        new("POST", "/accounts/{account}/app-passwords", Write, "Makes a password for one program; it is answered this once.", IssueAppPasswordAsync)
        {
            Body = ApiJson.Default.NewAppPasswordDocument, Answer = ApiJson.Default.IssuedAppPasswordDocument, Status = 201,
        },
        new("GET", "/accounts/{account}/app-passwords/{name}", Read, "An app password, by its name or id, without what it is.",
            request => finder.WithAsync(request, async account =>
                (await _accounts.AppPasswordsAsync(account.Account, request.Cancel)).FirstOrDefault(known => known.Name == request.Path("name") || known.Id == request.Path("name")) is { } found
                    ? ApiAnswer.Json(found, ApiJson.Plain.AppPasswordEntry) : ApiAnswer.NotFound("app password")))
        {
            Answer = ApiJson.Default.AppPasswordEntry,
        },
        new("DELETE", "/accounts/{account}/app-passwords/{name}", Write, "Ends an app password, by its name or id.",
            request => ChangeAsync(request, address => _accounts.RevokeAppPasswordAsync(address, request.Path("name"), request.Actor, request.Cancel))) { Status = 204 },
        new("GET", "/accounts/{account}/send-as", Read, "Whom it may send as besides itself and the aliases that lead to it.",
            request => finder.WithAsync(request, account => Task.FromResult(ApiAnswer.Json(new(account.SendAs), ApiJson.Plain.SendAsDocument))))
        {
            Answer = ApiJson.Default.SendAsDocument,
        },
        new("PUT", "/accounts/{account}/send-as/{sender}", Write, "Lets it send as an address, or as all of a domain (`@example.org`).",
            request => ChangeAsync(request, address => _accounts.GrantSendAsAsync(address, request.Path("sender"), request.Actor, request.Cancel))) { Status = 204 },
        new("DELETE", "/accounts/{account}/send-as/{sender}", Write, "Takes that permission back.",
            request => ChangeAsync(request, address => _accounts.RevokeSendAsAsync(address, request.Path("sender"), request.Actor, request.Cancel))) { Status = 204 },
    ];

    private async Task<ApiAnswer> ListAsync(ApiRequest request) => ApiAnswer.Json(
        await Page<AccountSummaryDocument>.OfAsync(
            store.Queries.AccountsAsync(request.Cancel, new(request.Text("after"), request.Limit + 1)), request.Limit,
            AccountSummaryDocument.Of, account => account.Address, request.Cancel),
        ApiJson.Plain.PageAccountSummaryDocument);

    private async Task<ApiAnswer> OpenAsync(ApiRequest request)
    {
        var wanted = request.BodyOf<NewAccountDocument>();
        var password = wanted.Password ?? AppPasswords.NewPassword();
        var opened = await _accounts.AddAsync(wanted.Address, password, wanted.Quota, request.Actor, request.Cancel);
        if (opened.Rejection is { } rejection)
            return ApiAnswer.Refused(rejection);
        var account = opened.Value!.Account;
        return ApiAnswer.Created(
            $"/accounts/{Uri.EscapeDataString(account.Address)}",
            new OpenedAccountDocument(account.Account, account.Address, wanted.Password is null ? password : null, opened.Value.DomainAdded),
            ApiJson.Plain.OpenedAccountDocument);
    }

    private async Task<ApiAnswer> GetAsync(ApiRequest request, AccountEntry account)
    {
        var usage = await store.Directory.UsageAsync(account.Account, request.Cancel);
        var listing = await store.Queries.AccountAsync(account.Account, request.Cancel);
        return ApiAnswer.Json(
            new AccountDocument(
                account.Account, account.Address, account.Suspended, account.Administrator, account.Opened, listing?.LastLogin, listing?.LastProtocol,
                listing?.LastClient, usage.Used, usage.Messages, new(account.QuotaLimit, account.MessageLimit), account.SendAs, account.SaveSent,
                account.RecoverableSecret, listing?.ReadOnly, listing?.MovedTo),
            ApiJson.Plain.AccountDocument);
    }

    private Task<ApiAnswer> SetPasswordAsync(ApiRequest request) => finder.WithAsync(request, async account =>
    {
        var given = request.BodyOf<NewPasswordDocument>().Password;
        var password = given ?? AppPasswords.NewPassword();
        return (await _accounts.SetPasswordAsync(account.Address, password, request.Actor, request.Cancel)).Rejection is { } rejection
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Json(new PasswordDocument(given is null ? password : null), ApiJson.Plain.PasswordDocument);
    });

    // What If-Match guards is decided with the command: nothing can come in between.
    private Task<ApiAnswer> SetQuotaAsync(ApiRequest request) => finder.WithAsync(request, async account =>
    {
        var wanted = request.BodyOf<QuotaDocument>();
        var changed = false;
        var result = await _accounts.SetQuotaAsync(
            account.Address,
            now =>
            {
                changed = request.IfMatch is { } tags && !tags.Contains(TagOf(now));
                return changed ? now : new(wanted.Octets, wanted.Messages);
            },
            request.Actor, request.Cancel);
        return changed ? ApiAnswer.Changed
            : result.Rejection is { } rejection ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Json(
                new QuotaDocument(result.Value!.QuotaLimit, result.Value.MessageLimit), ApiJson.Plain.QuotaDocument,
                TagOf(new(result.Value.QuotaLimit, result.Value.MessageLimit)));
    });

    private Task<ApiAnswer> IssueAppPasswordAsync(ApiRequest request) => finder.WithAsync(request, async account =>
    {
        var name = request.BodyOf<NewAppPasswordDocument>().Name;
        var issued = await _accounts.IssueAppPasswordAsync(account.Address, name, request.Actor, request.Cancel);
        return issued.Rejection is { } rejection
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Created(
                $"/accounts/{Uri.EscapeDataString(account.Address)}/app-passwords/{Uri.EscapeDataString(name)}",
                new IssuedAppPasswordDocument(name, issued.Value!), ApiJson.Plain.IssuedAppPasswordDocument);
    });

    private Task<ApiAnswer> ChangeAsync(ApiRequest request, Func<string, Task<Result<AccountEntry>>> change) => finder.WithAsync(
        request, async account => (await change(account.Address)).Rejection is { } rejection ? ApiAnswer.Refused(rejection) : ApiAnswer.NoContent);

    private static string TagOf(QuotaLimits limits) => string.Create(null, $"{limits.Bytes}-{limits.Messages}");
}
