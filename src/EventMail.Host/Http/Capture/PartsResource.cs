using System.Net.Http.Headers;
using EventMail.Domain.Messages;
using EventMail.Host.Composition;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>/api/messages/{id}/parts/{n}: a part's content without its transfer encoding.</summary>
internal sealed class PartsResource(CaptureServices services)
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/messages/{id}/parts/{number}", GetAsync);

    private Task GetAsync(HttpContext context) => services.Messages.Find(CaptureApi.IdOf(context)) is not { } mail
        ? CaptureApi.NotFoundAsync(context, "message")
        : CaptureApi.ReadingAsync(context, async () =>
        {
            await using var content = await services.Store.Log.Contents.ReadAsync(mail.Content, context.RequestAborted);
            var message = await MessageDocuments.ReadAsync(content, context.RequestAborted);
            var number = context.Request.RouteValues["number"] as string;
            if (PartNumbers.Leaves(message.Root).FirstOrDefault(leaf => leaf.Number == number).Part is not { } part)
            {
                await CaptureApi.NotFoundAsync(context, "part");
                return;
            }
            context.Response.ContentType = ContentTypeOf(part);
            // Never shown as a page of this server: the other fields (sandbox, nosniff) come with every answer.
            context.Response.Headers.ContentDisposition = DispositionOf(part);
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
