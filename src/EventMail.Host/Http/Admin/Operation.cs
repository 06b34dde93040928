using System.Text.Json.Serialization.Metadata;

namespace EventMail.Host.Http.Admin;

/// <summary>
/// One operation of the admin API. The routes, the checks of what a request says and the OpenAPI document are all made of these:
/// none of them can know of one that the others do not.
/// </summary>
/// <param name="Path">Below /api/v1, with its parameters in braces.</param>
/// <param name="Scope">`read:` or `write:` and a resource, or <see cref="AnyScope"/>.</param>
/// <param name="Summary">A sentence for the document.</param>
internal sealed record Operation(string Method, string Path, string Scope, string Summary, Func<ApiRequest, Task<ApiAnswer>> Handle)
{
    /// <summary>Any key that counts: the operation itself looks at what the key allows.</summary>
    public const string AnyScope = "";

    /// <summary>What the query may have; anything else is refused.</summary>
    public IReadOnlyList<Parameter> Query { get; init; } = [];

    /// <summary>What the body is; null: there is none.</summary>
    public JsonTypeInfo? Body { get; init; }

    /// <summary>What it answers; null: nothing, or no JSON.</summary>
    public JsonTypeInfo? Answer { get; init; }

    /// <summary>The `result` of the job that it begins; null: it begins none.</summary>
    public JsonTypeInfo? Result { get; init; }

    /// <summary>The answer's media type where it is no JSON document.</summary>
    public string? MediaType { get; init; }

    public int Status { get; init; } = 200;

    /// <summary>The answer has an ETag, which If-Match may repeat (RFC 9110 §13.1.1), or If-None-Match of a GET (§13.1.2).</summary>
    public bool IfMatch { get; init; }
}

internal enum ParameterKind
{
    Text,
    Number,
    Flag,

    /// <summary>RFC 3339.</summary>
    Time,
}

/// <param name="Least">Of a number.</param>
internal sealed record Parameter(string Name, ParameterKind Kind, string Description, long Least = 0, long Most = long.MaxValue)
{
    /// <summary>Entries of a page where nothing else is asked for.</summary>
    public const int DefaultLimit = 100;

    /// <summary>There is no request without it.</summary>
    public bool Required { get; init; }

    public static readonly Parameter After = new("after", ParameterKind.Text, "The `next` of the page before: what comes behind it.");

    /// <param name="most">Http:MaxPage.</param>
    public static Parameter[] Page(int most) => [new("limit", ParameterKind.Number, "Entries of a page.", 1, most), After];
}
