using EventMail.Host.Composition;
using EventMail.Projections.Capture;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>/api/messages</summary>
internal sealed class MessagesResource(CaptureServices services, MessageDocuments documents, CancellationToken stopping)
{
    /// <summary>Seconds that a request waits for messages: below what proxies and clients give it.</summary>
    private const int MaxWait = 60;

    private const int DefaultLimit = 50;
    private const int MaxLimit = 1000;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/messages", ListAsync);
        routes.MapDelete("/api/messages", DeleteAllAsync);
        routes.MapGet("/api/messages/{id}", GetAsync);
        routes.MapDelete("/api/messages/{id}", DeleteAsync);
        routes.MapGet("/api/messages/{id}/raw", RawAsync);
    }

    private async Task ListAsync(HttpContext context)
    {
        if (await CaptureApi.NumberAsync(context, "limit", 1, MaxLimit) is not (true, var limit)
            || await CaptureApi.NumberAsync(context, "after", 0, long.MaxValue) is not (true, var after)
            || await CaptureApi.NumberAsync(context, "wait", 0, MaxWait) is not (true, var wait)
            || await CaptureApi.NumberAsync(context, "count", 1, limit ?? DefaultLimit) is not (true, var count))
            return;
        var filter = FilterOf(context);
        var most = (int)(limit ?? DefaultLimit);
        var found = await WaitAsync(
            () => after is { } id ? services.Messages.After(id, filter, most) : services.Messages.Newest(filter, most),
            (int)(count ?? 1), TimeSpan.FromSeconds(wait ?? 0), context.RequestAborted);
        await CaptureApi.WriteAsync(
            context, new([.. found.Select(MessageDocuments.SummaryOf)], services.Messages.Count), CaptureJson.Plain.MessageListDocument);
    }

    // What there is as soon as it is as many, or the time is up.
    private async Task<IReadOnlyList<CapturedMail>> WaitAsync(
        Func<IReadOnlyList<CapturedMail>> find, int count, TimeSpan patience, CancellationToken aborted)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(aborted, stopping);
        var late = Task.Delay(patience, end.Token);
        while (true)
        {
            var changed = services.Messages.Changed;
            var found = find();
            if (found.Count >= count || await Task.WhenAny(late, changed) == late)
            {
                await end.CancelAsync();
                return found;
            }
        }
    }

    private Task GetAsync(HttpContext context) => services.Messages.Find(CaptureApi.IdOf(context)) is not { } mail
        ? CaptureApi.NotFoundAsync(context, "message")
        : CaptureApi.ReadingAsync(context, async () =>
            await CaptureApi.WriteAsync(context, await documents.OfAsync(mail, context.RequestAborted), CaptureJson.Plain.MessageDocument));

    private Task RawAsync(HttpContext context) => services.Messages.Find(CaptureApi.IdOf(context)) is not { } mail
        ? CaptureApi.NotFoundAsync(context, "message")
        : CaptureApi.ReadingAsync(context, async () =>
        {
            await using var content = await services.Store.Log.Contents.ReadAsync(mail.Content, context.RequestAborted);
            context.Response.ContentType = "message/rfc822";
            context.Response.ContentLength = content.Size;
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"{mail.Id}.eml\"";
            await using var octets = content.OpenRead();
            await octets.CopyToAsync(context.Response.Body, context.RequestAborted);
        });

    private async Task DeleteAsync(HttpContext context)
    {
        if (services.Messages.Find(CaptureApi.IdOf(context)) is not { } mail)
        {
            await CaptureApi.NotFoundAsync(context, "message");
            return;
        }
        await services.Bin.RemoveAsync([mail], context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    // With the filters of the list: those that fit.
    private async Task DeleteAllAsync(HttpContext context)
    {
        var found = services.Messages.Newest(FilterOf(context), int.MaxValue);
        await services.Bin.RemoveAsync(found, context.RequestAborted);
        await CaptureApi.WriteAsync(context, new(found.Count), CaptureJson.Plain.DeletedDocument);
    }

    private static CapturedFilter FilterOf(HttpContext context) =>
        new(QueryOf(context, "recipient"), QueryOf(context, "subject"), QueryOf(context, "sender"));

    private static string? QueryOf(HttpContext context, string name) => context.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;
}
