using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using EventMail.EventStore;
using EventMail.Host.Configuration;
using EventMail.Projections.Capture;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>
/// /api/events: each message as a server-sent event (WHATWG HTML §9.2) whose id is its position in the log. Who comes back with
/// Last-Event-ID gets what came since; a slow reader is behind, and costs no memory.
/// </summary>
internal sealed class EventsResource(CapturedMessages messages, MessageDocuments documents, CaptureSettings settings, CancellationToken stopping)
{
    private const int AtOnce = 50;

    private static readonly CapturedFilter All = new();

    private int _open;

    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/api/events", StreamAsync);

    private async Task StreamAsync(HttpContext context)
    {
        if (await PositionAsync(context) is not { } position)
            return;
        if (Interlocked.Increment(ref _open) > settings.MaxStreams)
        {
            Interlocked.Decrement(ref _open);
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "Too many event streams");
            return;
        }
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("retry: 1000\n\n", end.Token);
            await context.Response.Body.FlushAsync(end.Token);
            await FollowAsync(context.Response, position, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The reader is gone, or the server stops.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task FollowAsync(HttpResponse response, long position, CancellationToken end)
    {
        while (true)
        {
            var changed = messages.Changed;
            foreach (var mail in messages.After(position, All, AtOnce))
            {
                position = mail.Id;
                if (await EventAsync(mail, end) is { } octets)
                    await response.Body.WriteAsync(octets, end);
            }
            await response.Body.FlushAsync(end);
            if (messages.After(position, All, 1).Count > 0)
                continue;
            if (await Task.WhenAny(changed, Task.Delay(settings.StreamKeepAlive, end)) != changed)
            {
                end.ThrowIfCancellationRequested();
                await response.WriteAsync(":\n\n", end);
            }
        }
    }

    // Null when it was deleted meanwhile.
    private async Task<ReadOnlyMemory<byte>?> EventAsync(CapturedMail mail, CancellationToken end)
    {
        try
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(await documents.OfAsync(mail, end), CaptureJson.Plain.MessageDocument);
            var output = new ArrayBufferWriter<byte>(json.Length + 64);
            output.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"id: {mail.Id}\nevent: message\ndata: ")));
            output.Write(json);
            output.Write("\n\n"u8);
            return output.WrittenMemory;
        }
        catch (ContentUnreadableException)
        {
            return null;
        }
    }

    // From Last-Event-ID, else from ?after=, else from now on. Null: the client was told that it is none.
    private async Task<long?> PositionAsync(HttpContext context)
    {
        if (context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last)
        {
            if (long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var position))
                return position;
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, "Last-Event-ID is the id of an event");
            return null;
        }
        var (ok, after) = await CaptureApi.NumberAsync(context, "after", 0, long.MaxValue);
        return ok ? after ?? messages.Last : null;
    }
}
