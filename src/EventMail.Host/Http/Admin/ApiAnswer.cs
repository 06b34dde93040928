using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EventMail.Domain;
using Microsoft.AspNetCore.Http;

namespace EventMail.Host.Http.Admin;

/// <summary>What an operation answers. Refusals are answers like others.</summary>
internal sealed class ApiAnswer
{
    private readonly Func<HttpContext, Task> _write;

    private ApiAnswer(Func<HttpContext, Task> write) => _write = write;

    public static ApiAnswer NoContent { get; } = new(context =>
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    });

    public static ApiAnswer Accepted { get; } = new(context =>
    {
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        return Task.CompletedTask;
    });

    public Task WriteAsync(HttpContext context) => _write(context);

    /// <param name="tag">The ETag, without its quotes.</param>
    public static ApiAnswer Json<T>(T document, JsonTypeInfo<T> type, string? tag = null) => new(context =>
    {
        if (tag is not null)
        {
            context.Response.Headers.ETag = $"\"{tag}\"";
            if (IsKnown(context.Request, $"\"{tag}\""))
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }
        }
        return WriteAsync(context, document, type, StatusCodes.Status200OK);
    });

    // RFC 9110 §13.1.2: compared weakly; "*" is any that there is. Who changes something has been refused before.
    private static bool IsKnown(HttpRequest request, string tag) => request.Headers.IfNoneMatch.ToString().Split(',', StringSplitOptions.TrimEntries)
        .Any(known => known == "*" || known == tag || (known.StartsWith("W/", StringComparison.Ordinal) && known.AsSpan(2).SequenceEqual(tag)));

    /// <param name="location">Below /api/v1.</param>
    public static ApiAnswer Created<T>(string location, T document, JsonTypeInfo<T> type) => new(context =>
    {
        context.Response.Headers.Location = AdminApi.Root + location;
        return WriteAsync(context, document, type, StatusCodes.Status201Created);
    });

    /// <summary>202, with a job.</summary>
    /// <param name="location">Where it is found, below /api/v1.</param>
    public static ApiAnswer Began<T>(string location, T document, JsonTypeInfo<T> type) => new(context =>
    {
        context.Response.Headers.Location = AdminApi.Root + location;
        return WriteAsync(context, document, type, StatusCodes.Status202Accepted);
    });

    /// <summary>Whatever writes itself.</summary>
    public static ApiAnswer Of(Func<HttpContext, Task> write) => new(write);

    public static ApiAnswer Problem(int status, string title, string? detail = null) => new(context => Http.Problem.WriteAsync(context, status, title, detail));

    public static ApiAnswer NotFound(string what) => Problem(StatusCodes.Status404NotFound, $"There is no such {what}");

    public static ApiAnswer BadParameter(string detail) => Problem(StatusCodes.Status400BadRequest, "A parameter is wrong", detail);

    /// <summary>RFC 9110 §15.5.13.</summary>
    public static ApiAnswer Changed { get; } = Problem(StatusCodes.Status412PreconditionFailed, "It has changed meanwhile", "Read it again and repeat the request with its new ETag");

    public static ApiAnswer Refused(Rejection rejection) => Problem(
        rejection.Kind switch
        {
            RejectionKind.NonExistent or RejectionKind.Gone => StatusCodes.Status404NotFound,
            RejectionKind.Invalid => StatusCodes.Status422UnprocessableEntity,
            RejectionKind.OverQuota => StatusCodes.Status507InsufficientStorage,
            RejectionKind.NoPermission => StatusCodes.Status403Forbidden,
            RejectionKind.TryAgain or RejectionKind.Damaged => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status409Conflict,
        },
        rejection.Text);

    private static Task WriteAsync<T>(HttpContext context, T document, JsonTypeInfo<T> type, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, document, type, context.RequestAborted);
    }
}
