using EventMail.Host.Listeners;
using EventMail.Protocols.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Capture;

/// <summary>/api/connections</summary>
internal sealed class ConnectionsResource(LiveConnections connections)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/connections", ListAsync);
        routes.MapDelete("/api/connections/{id}", CloseAsync);
    }

    private Task ListAsync(HttpContext context) =>
        CaptureApi.WriteAsync(context, new([.. connections.All.Select(DocumentOf)]), CaptureJson.Plain.ConnectionListDocument);

    private Task CloseAsync(HttpContext context)
    {
        if (!connections.Close(context.Request.RouteValues["id"] as string ?? ""))
            return CaptureApi.NotFoundAsync(context, "connection");
        // The session leaves when its command allows: that may be a moment after this answer.
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        return Task.CompletedTask;
    }

    internal static ConnectionDocument DocumentOf(MailConnection connection)
    {
        var (details, facts, envelope) = (connection.Details, connection.Facts, connection.Facts.Envelope);
        return new(
            details.Id, details.Listener, details.Remote.ToString(), facts.Since, connection.IsTls, facts.User,
            envelope.ReversePath is { } from ? new(from, envelope.Recipients) : null);
    }
}
