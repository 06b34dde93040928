using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.EventStore.Proof;

/// <summary>The first line of an export of events: what it is.</summary>
/// <param name="Export">Always <see cref="Format"/>.</param>
/// <param name="Version">Of the format: <see cref="CurrentVersion"/>.</param>
/// <param name="Tenant">Whose events alone it has; null: all of the log.</param>
/// <param name="After">It begins behind this position; 0: with the first event.</param>
public sealed record EventExportHeader(
    [property: JsonRequired] string Export, [property: JsonRequired] int Version, string? Tenant, long After)
{
    public const string Format = "eventmail events";

    public const int CurrentVersion = 1;

    public static EventExportHeader Of(string? tenant = null, long after = 0) => new(Format, CurrentVersion, tenant, after);

    /// <summary>It has every event from the first on: its tree is that of the log.</summary>
    [JsonIgnore]
    public bool IsWholeLog => Tenant is null && After == 0;
}

/// <summary>The last line: an export without it was cut off.</summary>
/// <param name="Events">How many lines stand between.</param>
/// <param name="Last">The last one's position; 0 without any.</param>
/// <param name="Root">The root of the tree over them, in base64: a checkpoint's, where all of the log was exported.</param>
public sealed record EventExportTrailer(
    [property: JsonRequired] long Events, [property: JsonRequired] long Last, [property: JsonRequired] string Root);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EventExportHeader))]
[JsonSerializable(typeof(EventExportTrailer))]
internal sealed partial class EventExportJson : JsonSerializerContext;
