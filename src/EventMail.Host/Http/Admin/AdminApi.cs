using EventMail.Host.Http.Admin.Resources;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace EventMail.Host.Http.Admin;

/// <summary>The admin API: its operations, mapped, and the document that describes them. docs/http.md is for people.</summary>
internal sealed class AdminApi
{
    public const string Root = "/api/v1";

    private readonly OperationRunner _runner;
    private readonly byte[] _document;

    /// <param name="operations">Of all resources.</param>
    public AdminApi(OperationRunner runner, IReadOnlyList<Operation> operations)
    {
        (_runner, Operations) = (runner, operations);
        _document = OpenApiDocument.Write(operations);
    }

    public IReadOnlyList<Operation> Operations { get; }

    /// <summary>RFC 9110 §9.3.2: what GET answers, without its content.</summary>
    public static string[] Reading { get; } = [HttpMethods.Get, HttpMethods.Head];

    // A stream without content would never end.
    private static string[] MethodsOf(Operation operation) =>
        operation.Method == HttpMethods.Get && operation.MediaType != EventsResource.MediaType ? Reading : [operation.Method];

    public void Map(IEndpointRouteBuilder routes)
    {
        foreach (var operation in Operations)
            routes.MapMethods(Root + operation.Path, MethodsOf(operation), context => _runner.RunAsync(operation, context));
        // It tells nothing of what is stored here: programs find out what there is before they have a key.
        routes.MapMethods(Root + "/openapi.json", Reading, context =>
        {
            context.Response.ContentType = "application/json";
            return context.Response.Body.WriteAsync(_document, context.RequestAborted).AsTask();
        });
    }
}
