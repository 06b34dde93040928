using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.Host.Composition;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/accounts/{account}/mailboxes: as they are, or as they were.</summary>
internal sealed class MailboxesResource(MailStore store, AccountFinder finder, MailboxPictures pictures)
{
    public static readonly Parameter At = new("at", ParameterKind.Time, "As of this instant: 2026-11-01T12:00:00Z; also of an account that was closed since.");

    private const string Path = "/accounts/{account}/mailboxes";
    private const string Read = "read:mailboxes";
    private const string Write = "write:mailboxes";

    public IEnumerable<Operation> Operations =>
    [
        new("GET", Path, Read, "An account's own mailboxes with their counts.", request => finder.WithThenAsync(request, async account =>
        {
            var (list, rejection) = await pictures.ListAsync(account, request.Time("at"), request.Cancel);
            return rejection is not null
                ? ApiAnswer.Refused(rejection)
                : ApiAnswer.Json(new(list!, request.Time("at")), ApiJson.Plain.MailboxListDocument);
        }))
        {
            Query = [At], Answer = ApiJson.Default.MailboxListDocument,
        },
        new("POST", Path, Write, "Makes a mailbox, and those above it that are missing.", CreateAsync)
        {
            Body = ApiJson.Default.NewMailboxDocument, Answer = ApiJson.Default.MailboxDocument, Status = 201,
        },
        new("GET", Path + "/{mailbox}", Read, "A mailbox, by its name (a slash in it as %2F) or its id.", request => finder.WithThenAsync(request, async account =>
        {
            var (picture, rejection) = await pictures.FindAsync(account, request.Path("mailbox"), request.Time("at"), request.Cancel);
            return rejection is not null ? ApiAnswer.Refused(rejection) : ApiAnswer.Json(picture!.Document, ApiJson.Plain.MailboxDocument);
        }))
        {
            Query = [At], Answer = ApiJson.Default.MailboxDocument,
        },
        new("DELETE", Path + "/{mailbox}", Write, "Deletes a mailbox with its messages; those below it stay.", DeleteAsync) { Status = 204 },
        new("GET", Path + "/{mailbox}/acl", Read, "Who may do what with a mailbox.", AclAsync) { Answer = ApiJson.Default.AclDocument },
        new("PUT", Path + "/{mailbox}/acl/{who}", Write, "Sets what somebody may do with a mailbox: an account's address, or anyone.", ShareAsync)
        {
            Body = ApiJson.Default.RightsDocument, Status = 204,
        },
    ];

    private Task<ApiAnswer> AclAsync(ApiRequest request) => finder.WithAsync(request, async account =>
    {
        var (name, missing) = await pictures.NameAsync(account.Account, request.Path("mailbox"), request.Cancel);
        if (missing is not null)
            return ApiAnswer.Refused(missing);
        var (entries, rejection) = await store.Mailboxes.Access.ListAsync(account.Account, name!, request.Cancel);
        return rejection is not null
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Json(new([.. entries!.Select(entry => new AclEntryDocument(entry.Identifier, RightsText.Of(entry.Rights)))]), ApiJson.Plain.AclDocument);
    });

    private Task<ApiAnswer> ShareAsync(ApiRequest request) => finder.WithAsync(request, async account =>
    {
        var wanted = request.BodyOf<RightsDocument>().Rights;
        if (!RightsText.TryParse(wanted, out var rights, out var unknown))
            return ApiAnswer.Refused(Rejection.Invalid($"{unknown} is no right: {RightsText.Of(Rights.All)}"));
        var (name, missing) = await pictures.NameAsync(account.Account, request.Path("mailbox"), request.Cancel);
        return missing is not null ? ApiAnswer.Refused(missing)
            : (await store.Mailboxes.Access.SetAsync(account.Account, name!, request.Path("who"), RightsMode.Replace, rights, request.Actor, null, request.Cancel)).Rejection
                is { } rejection ? ApiAnswer.Refused(rejection)
            : ApiAnswer.NoContent;
    });

    private Task<ApiAnswer> CreateAsync(ApiRequest request) => finder.WithAsync(request, async account =>
    {
        var (made, rejection) = await store.Mailboxes.CreateAsync(
            account.Account, request.BodyOf<NewMailboxDocument>().Name, null, request.Actor, null, request.Cancel);
        return rejection is not null
            ? ApiAnswer.Refused(rejection)
            : ApiAnswer.Created($"/accounts/{Uri.EscapeDataString(account.Address)}/mailboxes/{made!.Id}", MailboxDocument.Of(made), ApiJson.Plain.MailboxDocument);
    });

    private Task<ApiAnswer> DeleteAsync(ApiRequest request) => finder.WithAsync(request, async account =>
    {
        var (name, missing) = await pictures.NameAsync(account.Account, request.Path("mailbox"), request.Cancel);
        return missing is not null ? ApiAnswer.Refused(missing)
            : (await store.Mailboxes.DeleteAsync(account.Account, name!, request.Actor, null, request.Cancel)).Rejection is { } rejection ? ApiAnswer.Refused(rejection)
            : ApiAnswer.NoContent;
    });
}
