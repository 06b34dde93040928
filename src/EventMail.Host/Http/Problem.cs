using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace EventMail.Host.Http;

/// <summary>Problem details (RFC 9457): what every refusal of the HTTP interface looks like.</summary>
internal sealed record Problem(string Title, int Status, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail)
{
    public static Task WriteAsync(HttpContext context, int status, string title, string? detail = null)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new(title, status, detail), HttpJson.Plain.Problem, "application/problem+json", context.RequestAborted);
    }

    /// <summary>Gives answers of the framework's own (no such resource, wrong method) a body.</summary>
    public static async Task FillAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (BadHttpRequestException error) when (!context.Response.HasStarted)
        {
            await WriteAsync(context, error.StatusCode, error.Message);
            return;
        }
        if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null })
            await WriteAsync(context, context.Response.StatusCode, ReasonPhrases.GetReasonPhrase(context.Response.StatusCode));
    }
}

[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(ReadyDocument))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class HttpJson : JsonSerializerContext
{
    /// <summary>Letters as they are: it is never put into a page, and the answers say nosniff.</summary>
    public static HttpJson Plain { get; } = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
