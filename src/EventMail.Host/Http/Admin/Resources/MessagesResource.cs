using System.Globalization;
using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Projections.Accounts;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Reading;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/accounts/{account}/mailboxes/{mailbox}/messages: by their UIDs, as they are or as they were.</summary>
internal sealed class MessagesResource(MailStore store, AccountFinder finder, MailboxPictures pictures, Envelopes envelopes, ReadAudit reads, int maxPage)
{
    private const string Path = "/accounts/{account}/mailboxes/{mailbox}/messages";
    private const string One = Path + "/{uid}";
    private const string Read = "read:messages";
    private const string Write = "write:messages";

    private static readonly ApiAnswer Missing = ApiAnswer.Refused(Rejection.MessageMissing);

    public IEnumerable<Operation> Operations =>
    [
        new("GET", Path, Read, "The messages of a mailbox with flags and envelopes, by UID.", ListAsync)
        {
            Query = [.. Parameter.Page(maxPage), new("newest", ParameterKind.Flag, "From the highest UID down."), MailboxesResource.At],
            Answer = ApiJson.Default.PageMessageDocument,
        },
        new("GET", One, Read, "A message's flags and envelope.", GetAsync) { Query = [MailboxesResource.At], Answer = ApiJson.Default.MessageDocument, IfMatch = true },
        new("GET", One + "/raw", Read, "The message as it was received (RFC 5322).", RawAsync) { Query = [MailboxesResource.At], MediaType = "message/rfc822" },
        new("PATCH", One, Write, "Changes flags.", ChangeAsync)
        {
            Body = ApiJson.Default.FlagChangeDocument, Answer = ApiJson.Default.MessageDocument, IfMatch = true,
        },
        new("POST", One + "/move", Write, "Moves it to another mailbox of the account.", MoveAsync)
        {
            Body = ApiJson.Default.MoveDocument, Answer = ApiJson.Default.MovedDocument,
        },
        new("DELETE", One, Write, "Expunges it, whatever its flags.", DeleteAsync) { Status = 204 },
    ];

    private Task<ApiAnswer> ListAsync(ApiRequest request) => WithPictureAsync(request, async picture =>
    {
        var after = 0u;
        if (request.Text("after") is { } text && (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out after) || after == 0))
            return ApiAnswer.BadParameter("after is a UID");
        var (rows, more) = RowsOf(picture.View, after, request.Limit, request.Flag("newest") == true);
        await envelopes.PrefetchAsync([.. rows.Select(row => row.Content)], request.Cancel);
        var items = new List<MessageDocument>(rows.Count);
        foreach (var row in rows)
            items.Add(MessageDocument.Of(picture.View, row, await envelopes.OfAsync(row.Content, request.Cancel)));
        return ApiAnswer.Json(
            new Page<MessageDocument>(items, more ? rows[^1].Uid.ToString(CultureInfo.InvariantCulture) : null), ApiJson.Plain.PageMessageDocument);
    });

    // From the one behind (in the order that is asked for), and whether there are more.
    private static (List<MessageRow> Rows, bool More) RowsOf(MailboxView view, uint after, int limit, bool newest)
    {
        var rows = new List<MessageRow>(Math.Min(limit, view.Count));
        var index = newest
            ? (after == 0 ? view.Count : view.LowerBound(after)) - 1
            : after == 0 ? 0 : after == uint.MaxValue ? view.Count : view.LowerBound(after + 1);
        var step = newest ? -1 : 1;
        for (; index >= 0 && index < view.Count && rows.Count < limit; index += step)
            rows.Add(view[index]);
        return (rows, index >= 0 && index < view.Count);
    }

    private Task<ApiAnswer> GetAsync(ApiRequest request) => WithMessageAsync(request, (picture, row) => DocumentAsync(picture.View, row, request.Cancel));

    private async Task<ApiAnswer> DocumentAsync(MailboxView view, MessageRow row, CancellationToken cancel) => ApiAnswer.Json(
        MessageDocument.Of(view, row, await envelopes.OfAsync(row.Content, cancel)), ApiJson.Plain.MessageDocument,
        TagOf(row));

    private static string TagOf(MessageRow row) => row.ModSeq.ToString(CultureInfo.InvariantCulture);

    private Task<ApiAnswer> RawAsync(ApiRequest request) => WithMessageAsync(request, (picture, row) => Task.FromResult(ApiAnswer.Of(async context =>
    {
        await using var content = await store.Log.Contents.ReadAsync(row.Content, request.Cancel);
        context.Response.ContentType = "message/rfc822";
        context.Response.ContentLength = content.Size;
        context.Response.Headers.ContentDisposition = string.Create(null, $"attachment; filename=\"{row.Uid}.eml\"");
        // Nothing of it is shown.
        if (HttpMethods.IsHead(context.Request.Method))
            return;
        reads.Note(picture.Key, row.Uid, request.Actor);
        try
        {
            await using var octets = content.OpenRead();
            await octets.CopyToAsync(context.Response.Body, request.Cancel);
        }
        finally
        {
            // A request is a session of its own, and this one is over.
            await reads.EndAsync(request.Actor.SessionId);
        }
    })));

    private Task<ApiAnswer> ChangeAsync(ApiRequest request) => WithOpenAsync(request, async (mailbox, uid) =>
    {
        var wanted = request.BodyOf<FlagChangeDocument>();
        if (!Enum.TryParse<StoreMode>(wanted.Mode, ignoreCase: true, out var mode) || !Enum.IsDefined(mode) || char.IsAsciiDigit(wanted.Mode[0]))
            return ApiAnswer.Refused(Rejection.Invalid("mode is add, remove or replace"));
        if (FlagNames.Check(wanted.Flags) is { } bad)
            return ApiAnswer.Refused(bad);
        var since = default(long?);
        if (request.IfMatch is { } tags)
        {
            var now = mailbox.View;
            if (now.IndexOf(uid) is not (>= 0 and var at))
                return Missing;
            if (!tags.Contains(TagOf(now[at])))
                return ApiAnswer.Changed;
            // Whatever comes in between the command sees.
            since = now[at].ModSeq;
        }
        var (stored, rejection) = await store.Mailboxes.StoreAsync(mailbox, UidSet.Of(uid), mode, wanted.Flags, since, request.Actor, null, request.Cancel);
        if (rejection is not null)
            return ApiAnswer.Refused(rejection);
        if (stored!.Modified.Contains(uid))
            return ApiAnswer.Changed;
        var view = mailbox.View;
        return view.IndexOf(uid) is >= 0 and var index ? await DocumentAsync(view, view[index], request.Cancel) : Missing;
    });

    private Task<ApiAnswer> MoveAsync(ApiRequest request) => WithOpenAsync(request, async (mailbox, uid) =>
    {
        var destination = request.BodyOf<MoveDocument>().Mailbox;
        var (copied, rejection) = await store.Mailboxes.CopyAsync(mailbox, UidSet.Of(uid), destination, move: true, request.Actor, null, request.Cancel);
        return rejection is not null ? ApiAnswer.Refused(rejection)
            : copied!.Uids.IsEmpty ? Missing
            : ApiAnswer.Json(new MovedDocument(MailboxName.Canonical(destination), copied.UidValidity, copied.Uids.First), ApiJson.Plain.MovedDocument);
    });

    private Task<ApiAnswer> DeleteAsync(ApiRequest request) => WithOpenAsync(request, async (mailbox, uid) =>
    {
        var (gone, rejection) = await store.Mailboxes.RemoveAsync(mailbox, UidSet.Of(uid), request.Actor, null, request.Cancel);
        return rejection is not null ? ApiAnswer.Refused(rejection) : gone!.IsEmpty ? Missing : ApiAnswer.NoContent;
    });

    private Task<ApiAnswer> WithPictureAsync(ApiRequest request, Func<MailboxPicture, Task<ApiAnswer>> run) => finder.WithThenAsync(request, async account =>
    {
        var (picture, rejection) = await pictures.FindAsync(account, request.Path("mailbox"), request.Time("at"), request.Cancel);
        return rejection is not null ? ApiAnswer.Refused(rejection) : await run(picture!);
    });

    private Task<ApiAnswer> WithMessageAsync(ApiRequest request, Func<MailboxPicture, MessageRow, Task<ApiAnswer>> run) => WithPictureAsync(
        request, async picture => UidOf(request) is { } uid && picture.View.IndexOf(uid) is >= 0 and var index ? await run(picture, picture.View[index]) : Missing);

    private Task<ApiAnswer> WithOpenAsync(ApiRequest request, Func<OpenMailbox, uint, Task<ApiAnswer>> run) => finder.WithAsync(request, async (AccountEntry account) =>
    {
        if (UidOf(request) is not { } uid)
            return Missing;
        var (name, missing) = await pictures.NameAsync(account.Account, request.Path("mailbox"), request.Cancel);
        if (missing is not null)
            return ApiAnswer.Refused(missing);
        var (open, rejection) = await store.Mailboxes.OpenAsync(account.Account, name!, request.Cancel);
        if (rejection is not null)
            return ApiAnswer.Refused(rejection);
        using (open)
            return open!.View.IndexOf(uid) >= 0 ? await run(open, uid) : Missing;
    });

    private static uint? UidOf(ApiRequest request) =>
        uint.TryParse(request.Path("uid"), NumberStyles.None, CultureInfo.InvariantCulture, out var uid) && uid > 0 ? uid : null;
}
