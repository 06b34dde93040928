using EventMail.EventStore;
using EventMail.Host.Composition;
using EventMail.Projections;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Http.Admin.Resources;

internal sealed record ProjectionListDocument(IReadOnlyList<ReadModelStatus> Items);

/// <summary>/projections: how the read models stand.</summary>
internal sealed class ProjectionsResource(MailStore store, ILoggerFactory logs)
{
    public IEnumerable<Operation> Operations =>
    [
        new("GET", "/projections", "read:projections", "Each read model: its version, how far it is behind the log, its size, and what is being built.", StatusAsync)
        {
            Answer = ApiJson.Default.ProjectionListDocument,
        },
    ];

    private async Task<ApiAnswer> StatusAsync(ApiRequest request) => ApiAnswer.Json(
        new(await new ReadModelInspection(store.Log.DataSource).StatusAsync(ReadModels.All(logs), request.Cancel)),
        ApiJson.Plain.ProjectionListDocument);
}
