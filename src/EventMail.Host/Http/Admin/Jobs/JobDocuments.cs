using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.Host.Http.Admin.Jobs;

/// <param name="By">Whose key began it.</param>
/// <param name="Session">`/history?session=` tells what it did.</param>
/// <param name="Result">As the operation that began it says; absent while it runs.</param>
/// <param name="Problem">Why it failed.</param>
internal sealed record JobDocument(
    string Id, string Kind, [property: JsonConverter(typeof(JobStateNames))] JobState State, string By, string Session, DateTimeOffset Started,
    DateTimeOffset? Ended, JobProgress? Progress, JsonElement? Result, JobProblem? Problem);

internal sealed record JobListDocument(IReadOnlyList<JobDocument> Items);

internal sealed record JobProblem(string Title, string? Detail);

/// <summary>running, done, failed, cancelled.</summary>
internal sealed class JobStateNames() : JsonStringEnumConverter<JobState>(JsonNamingPolicy.CamelCase);
