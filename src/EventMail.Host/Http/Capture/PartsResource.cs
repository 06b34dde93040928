using System.Net.Http.Headers;
using EventMail.Domain.Messages;
using EventMail.Host.Composition;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>
/// /api/messages/{id}/parts/{n}: a part's content without its transfer encoding, as a download. /html and /text: the message's own, to look at.
/// </summary>
internal sealed class PartsResource(CaptureServices services)
{
    // What the message brings along is shown, nothing is fetched (its senders would see it) and nothing runs.
    private const string ForLooking = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/messages/{id}/parts/{number}", GetAsync);
        routes.MapGet("/api/messages/{id}/html", context => ShowAsync(context, "html"));
        routes.MapGet("/api/messages/{id}/text", context => ShowAsync(context, "plain"));
    }

    private Task GetAsync(HttpContext context) => WithPartAsync(
        context,
        message => PartNumbers.Leaves(message.Root).FirstOrDefault(leaf => leaf.Number == context.Request.RouteValues["number"] as string).Part,
        // Never shown as a page of this server: the other fields (sandbox, nosniff) come with every answer.
        part => context.Response.Headers.ContentDisposition = DispositionOf(part));

    private Task ShowAsync(HttpContext context, string subtype) => WithPartAsync(
        context, message => MessageDocuments.BodyOf(message.Root, subtype), _ => context.Response.Headers.ContentSecurityPolicy = ForLooking);

    private Task WithPartAsync(HttpContext context, Func<Message, MessagePart?> choose, Action<MessagePart> mark) => services.Messages.Find(CaptureApi.IdOf(context)) is not { } mail
        ? CaptureApi.NotFoundAsync(context, "message")
        : CaptureApi.ReadingAsync(context, async () =>
        {
            await using var content = await services.Store.Log.Contents.ReadAsync(mail.Content, context.RequestAborted);
            var message = await MessageDocuments.ReadAsync(content, context.RequestAborted);
            if (choose(message) is not { } part)
            {
                await CaptureApi.NotFoundAsync(context, "part");
                return;
            }
            context.Response.ContentType = ContentTypeOf(part);
            mark(part);
            await foreach (var piece in PartContent.ReadAsync(content, part))
                await context.Response.Body.WriteAsync(piece, context.RequestAborted);
        });

    // What a sender wrote may be no type at all.
    private static string ContentTypeOf(MessagePart part)
    {
        if (!MediaTypeHeaderValue.TryParse(MessageDocuments.TypeOf(part), out var type))
            return "application/octet-stream";
        if (part.Kind == PartKind.Text && part.Charset is { } charset && charset.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            type.CharSet = charset;
        return type.ToString();
    }

    private static string DispositionOf(MessagePart part)
    {
        var disposition = new Microsoft.Net.Http.Headers.ContentDispositionHeaderValue("attachment");
        if (part.FileName is { Length: > 0 } name)
            disposition.SetHttpFileName(string.Concat(name.Where(c => !char.IsControl(c))).Split('/', '\\')[^1]);
        return disposition.ToString();
    }
}
