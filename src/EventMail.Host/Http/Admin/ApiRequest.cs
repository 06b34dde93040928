using System.Globalization;
using EventMail.Domain.ApiKeys;
using EventMail.Projections;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin;

/// <summary>A request that was let in and whose parameters and body are what the operation says.</summary>
/// <param name="Key">Whose it is.</param>
/// <param name="Actor">For the events that it causes.</param>
internal sealed record ApiRequest(HttpContext Context, ApiKey Key, Actor Actor, IReadOnlyDictionary<string, object> Query, object? Body)
{
    public CancellationToken Cancel => Context.RequestAborted;

    /// <summary>A parameter of the path, decoded; "%2F" is a slash.</summary>
    public string Path(string name) => ((string)Context.Request.RouteValues[name]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    public string? Text(string name) => Query.GetValueOrDefault(name) as string;

    public long? Number(string name) => Query.GetValueOrDefault(name) as long?;

    public bool? Flag(string name) => Query.GetValueOrDefault(name) as bool?;

    public DateTimeOffset? Time(string name) => Query.GetValueOrDefault(name) as DateTimeOffset?;

    public int Limit => (int)(Number("limit") ?? Parameter.DefaultLimit);

    public T BodyOf<T>() => (T)Body!;

    /// <summary>The tags of which If-Match asks for one, without their quotes; null where any will do. Weak ones are never what is there (RFC 9110 §13.1.1).</summary>
    public IReadOnlyList<string>? IfMatch => Context.Request.Headers.IfMatch.ToString().Trim() is { Length: > 0 } tags && tags != "*"
        ? [.. tags.Split(',', StringSplitOptions.TrimEntries).Where(tag => tag is ['"', .., '"']).Select(tag => tag[1..^1])] : null;

    internal static bool TryRead(Parameter parameter, string text, out object? value)
    {
        value = parameter.Kind switch
        {
            ParameterKind.Text => text.Length is > 0 and <= 1024 && !text.AsSpan().ContainsAnyInRange('\0', '\x1F') ? text : null,
            ParameterKind.Number => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number >= parameter.Least && number <= parameter.Most ? number : null,
            ParameterKind.Flag => text switch { "true" => true, "false" => false, _ => null },
            _ => ApiTime.TryRead(text, out var time) ? time : null,
        };
        return value is not null;
    }
}
