using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using EventMail.Domain.ApiKeys;
using EventMail.EventStore;
using EventMail.Projections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EventMail.Host.Http.Admin;

/// <summary>A request's way to its operation: the key, the parameters, the body; then its answer, whatever becomes of it.</summary>
internal sealed class OperationRunner(KeyGuard guard, string node, ILogger log)
{
    /// <summary>The id of what a request did, as `eventmail history` shows it.</summary>
    public const string SessionHeader = "EventMail-Session";

    public async Task RunAsync(Operation operation, HttpContext context)
    {
        if (await guard.AdmitAsync(context, operation.Scope) is not { } key)
            return;
        var began = Stopwatch.GetTimestamp();
        var session = $"http-{Guid.CreateVersion7():n}";
        context.Response.Headers[SessionHeader] = session;
        var (method, path) = (operation.Method, AdminApi.Root + operation.Path);
        try
        {
            if (await RequestAsync(operation, context, key, session) is { } request)
                await (await operation.Handle(request)).WriteAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // nobody is there any more
        }
        catch (ContentMissingException) when (!context.Response.HasStarted)
        {
            await Problem.WriteAsync(context, StatusCodes.Status410Gone, "The message's text is not kept any more");
        }
        catch (TenantReadOnlyException moving) when (!context.Response.HasStarted)
        {
            await Problem.WriteAsync(context, StatusCodes.Status409Conflict, "The account is read-only", $"It {moving.Reason}");
        }
        catch (Exception error) when (!context.Response.HasStarted && error is not BadHttpRequestException)
        {
            log.Failed(error, method, path, session);
            if (error is NpgsqlException { IsTransient: true } or TimeoutException)
                await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "The database does not answer", "Try again in a moment");
            else
                await Problem.WriteAsync(context, StatusCodes.Status500InternalServerError, "The request failed", $"The server's log says why: session {session}");
        }
        log.Answered(method, path, key.Name, ClientOf(context).ToString(), context.Response.StatusCode, (long)Stopwatch.GetElapsedTime(began).TotalMilliseconds, session);
    }

    // Null when the client was told what is wrong with it.
    private async Task<ApiRequest?> RequestAsync(Operation operation, HttpContext context, ApiKey key, string session)
    {
        var query = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, values) in context.Request.Query)
        {
            if (operation.Query.FirstOrDefault(parameter => parameter.Name == name) is not { } parameter)
            {
                await ApiAnswer.BadParameter($"{name} is none of this operation's: {(operation.Query.Count == 0 ? "it has none" : string.Join(", ", operation.Query.Select(known => known.Name)))}").WriteAsync(context);
                return null;
            }
            if (values is not [{ } text] || !ApiRequest.TryRead(parameter, text, out var value))
            {
                await ApiAnswer.BadParameter(Advice(parameter)).WriteAsync(context);
                return null;
            }
            query[name] = value!;
        }
        if (operation.Query.FirstOrDefault(parameter => parameter.Required && !query.ContainsKey(parameter.Name)) is { } missing)
        {
            await ApiAnswer.BadParameter($"{Advice(missing)}; it is needed").WriteAsync(context);
            return null;
        }
        if (!operation.IfMatch && !IsReading(context.Request) && context.Request.Headers.IfMatch.ToString() is { Length: > 0 } tags && tags != "*")
        {
            // Who asks for it must not believe that it was looked at.
            await Problem.WriteAsync(context, StatusCodes.Status412PreconditionFailed, "It has no ETag", "Repeat the request without If-Match");
            return null;
        }
        if (!IsReading(context.Request) && context.Request.Headers.IfNoneMatch.Count > 0)
        {
            await Problem.WriteAsync(context, StatusCodes.Status412PreconditionFailed, "If-None-Match is for GET alone", "Repeat the request without it; what is there already is answered 409");
            return null;
        }
        var (ok, body) = operation.Body is null ? (await HasNoBodyAsync(context), null) : await BodyAsync(operation, context);
        if (!ok)
            return null;
        var client = new IPEndPoint(ClientOf(context), context.Connection.RemotePort);
        var actor = Actor.ForSession("http", client, context.Connection.Id ?? session, session, node) with { UserName = $"api:{key.Name}" };
        return new(context, key, actor, query, body);
    }

    private static bool IsReading(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    // Clients that send a body with every POST send an empty object. What is said in any other would be passed over.
    private static async Task<bool> HasNoBodyAsync(HttpContext context)
    {
        if (IsReading(context.Request) || context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            return true;
        var octets = new byte[16];
        var length = await context.Request.Body.ReadAtLeastAsync(octets, octets.Length, throwOnEndOfStream: false, context.RequestAborted);
        if (Encoding.UTF8.GetString(octets, 0, length).Trim() is "" or "{}")
            return true;
        await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, "This operation takes no body", "What it is to know stands in its path and its parameters");
        return false;
    }

    private static async Task<(bool Ok, object? Body)> BodyAsync(Operation operation, HttpContext context)
    {
        if (!context.Request.HasJsonContentType())
        {
            await Problem.WriteAsync(context, StatusCodes.Status415UnsupportedMediaType, "The body is to be application/json", "Content-Type: application/json, and {} where there is nothing to say");
            return default;
        }
        var octets = new byte[HttpServer.MaxRequest + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(octets, octets.Length, throwOnEndOfStream: false, context.RequestAborted);
        if (length > HttpServer.MaxRequest)
        {
            await Problem.WriteAsync(context, StatusCodes.Status413PayloadTooLarge, "The body is too large", $"{HttpServer.MaxRequest} octets at most");
            return default;
        }
        try
        {
            var body = JsonSerializer.Deserialize(octets.AsSpan(0, length), operation.Body!);
            var fault = body is null ? "It is to be an object" : FaultIn(octets.AsSpan(0, length));
            if (fault is null)
                return (true, body);
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, "The body is not what this operation takes", fault);
        }
        catch (JsonException error)
        {
            await Problem.WriteAsync(
                context, StatusCodes.Status400BadRequest, "The body is not what this operation takes", BodyFault.In(octets.AsMemory(0, length), operation.Body!, error));
        }
        return default;
    }

    // What the serializer holds to be a list of texts may have nulls in it all the same. And no text of the database has a NUL.
    private static string? FaultIn(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        for (var before = JsonTokenType.None; reader.Read(); before = reader.TokenType)
        {
            if (reader.TokenType == JsonTokenType.Null && before != JsonTokenType.PropertyName)
                return "A list has a null in it";
            if (reader.TokenType == JsonTokenType.String && reader.ValueIsEscaped && reader.GetString()!.Contains('\0', StringComparison.Ordinal))
                return "A text has a NUL in it";
        }
        return null;
    }

    private static string Advice(Parameter parameter) => parameter.Kind switch
    {
        ParameterKind.Number => string.Create(null, $"{parameter.Name} is a number from {parameter.Least} to {parameter.Most}"),
        ParameterKind.Flag => $"{parameter.Name} is true or false",
        ParameterKind.Time => $"{parameter.Name} is {ApiTime.Advice}",
        _ => $"{parameter.Name} is a text of 1 to 1024 characters, given once",
    };

    private static IPAddress ClientOf(HttpContext context) => context.Connection.RemoteIpAddress ?? IPAddress.None;
}
