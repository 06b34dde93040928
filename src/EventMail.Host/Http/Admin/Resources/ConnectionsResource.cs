using EventMail.Host.Http.Capture;
using EventMail.Host.Listeners;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/connections: who is connected to this Host now.</summary>
internal sealed class ConnectionsResource(LiveConnections connections)
{
    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/connections", "read:connections", "The connections of this Host's mail listeners, the oldest first.",
            _ => Task.FromResult(ApiAnswer.Json(
                new([.. connections.All.Select(Capture.ConnectionsResource.DocumentOf)]), ApiJson.Plain.ConnectionListDocument)))
        {
            Answer = ApiJson.Default.ConnectionListDocument,
        },
        new("DELETE", "/connections/{id}", "write:connections", "Asks a session to leave, and cuts it off a while later.",
            request => Task.FromResult(connections.Close(request.Path("id")) ? ApiAnswer.Accepted : ApiAnswer.NotFound("connection")))
        {
            Status = 202,
        },
    ];
}
