using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using EventMail.Host.Listeners;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>Capture mode's resources; docs/capture.md describes them.</summary>
internal sealed class CaptureApi(CaptureServices services, CaptureSettings settings, LiveConnections connections, MessageDocuments documents, CancellationToken stopping)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        new MessagesResource(services, documents, stopping).Map(routes);
        new PartsResource(services).Map(routes);
        new LoginsResource(services.Store.Log).Map(routes);
        new MailboxesResource(services.Store).Map(routes);
        new ConnectionsResource(connections).Map(routes);
        new FaultsResource(services.Faults).Map(routes);
        new EventsResource(services.Messages, documents, settings, stopping).Map(routes);
    }

    internal static Task WriteAsync<T>(HttpContext context, T document, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(document, type, "application/json", context.RequestAborted);
    }

    internal static Task NotFoundAsync(HttpContext context, string what) =>
        Problem.WriteAsync(context, StatusCodes.Status404NotFound, $"There is no such {what}");

    /// <summary>A number of the query; false when it is none, which the client has been told.</summary>
    internal static async Task<(bool Ok, long? Value)> NumberAsync(HttpContext context, string name, long least, long most)
    {
        if (context.Request.Query[name] is not [var text, ..])
            return (true, null);
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return (true, value);
        await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, "A parameter is wrong", string.Create(null, $"{name} is a number from {least} to {most}"));
        return (false, null);
    }

    /// <summary>The number in the path.</summary>
    internal static long IdOf(HttpContext context) =>
        long.TryParse(context.Request.RouteValues["id"] as string, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : -1;

    /// <summary>Runs what reads a content that may be deleted meanwhile.</summary>
    internal static async Task ReadingAsync(HttpContext context, Func<Task> read)
    {
        try
        {
            await read();
        }
        catch (ContentUnreadableException) when (!context.Response.HasStarted)
        {
            await NotFoundAsync(context, "message");
        }
    }
}
