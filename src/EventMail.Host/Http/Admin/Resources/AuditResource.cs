using EventMail.EventStore.Proof;
using EventMail.Host.Cli;
using EventMail.Host.Composition;
using EventMail.Host.Configuration;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin.Resources;

/// <summary>/audit: checkpoints and proofs. Each signs what the log is now, and leaves a checkpoint in the folder of checkpoints.</summary>
internal sealed class AuditResource(MailStore store, HostSettings settings)
{
    private const string Write = "write:audit";

    public IEnumerable<Operation> Operations =>
    [
        new("POST", "/audit/checkpoints", Write, "Signs what the log is now: a signed note (C2SP tlog-checkpoint) for somebody to hold.",
            request => SignedAsync(request, signed => Task.FromResult(("text/plain; charset=utf-8", System.Text.Encoding.UTF8.GetBytes(signed.ToString())))))
        {
            MediaType = "text/plain",
        },
        new("POST", "/audit/proofs", Write, "A file that shows, without this server, that an event is in the log, against a new checkpoint.", request =>
            request.Number("event") is { } position
                ? SignedAsync(request, async signed => ("application/json", (await new ProofMaker(store.Log, new(store.Log)).ProveAsync(signed, [position], request.Cancel)).ToJson()))
                : Task.FromResult(ApiAnswer.BadParameter("event is the position of an event in the log, as /history tells it")))
        {
            Query = [new("event", ParameterKind.Number, "The event's position in the log.", 1)], MediaType = "application/json",
        },
    ];

    private async Task<ApiAnswer> SignedAsync(ApiRequest request, Func<SignedCheckpoint, Task<(string MediaType, byte[] Octets)>> write)
    {
        try
        {
            var (media, octets) = await write(await AuditCheckpointCommand.SignAsync(store, settings, request.Cancel));
            return ApiAnswer.Of(context =>
            {
                context.Response.ContentType = media;
                return context.Response.Body.WriteAsync(octets, request.Cancel).AsTask();
            });
        }
        catch (Exception error) when (error is CommandFailedException or InvalidDataException)
        {
            return ApiAnswer.Problem(StatusCodes.Status409Conflict, "It cannot be proved", error.Message);
        }
    }
}
