using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EventMail.Domain.ApiKeys;
using Microsoft.OpenApi;

namespace EventMail.Host.Tests.Http;

public sealed partial class OpenApiTests(AdminHost host) : IClassFixture<AdminHost>
{
    [Fact]
    public async Task The_document_is_one_and_a_reader_of_such_finds_no_fault()
    {
        using var client = host.With(null);
        var text = await client.GetStringAsync("/api/v1/openapi.json");
        var (document, diagnostic) = OpenApiDocument.Parse(text, "json");
        diagnostic!.Errors.ShouldBeEmpty();
        document!.Paths.Count.ShouldBe(host.Api.Operations.Select(operation => operation.Path).Distinct().Count());
    }

    [Fact]
    public async Task Every_operation_is_in_it_and_every_reference_leads_somewhere()
    {
        using var client = host.With(null);
        var text = await client.GetStringAsync("/api/v1/openapi.json");
        var document = JsonNode.Parse(text)!;
        foreach (var operation in host.Api.Operations)
            document["paths"]![$"/api/v1{operation.Path}"]![operation.Method.ToLowerInvariant()].ShouldNotBeNull($"{operation.Method} {operation.Path}");
        var ids = document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()).Select(method => method.Value!["operationId"]!.GetValue<string>()).ToList();
        ids.ShouldBeUnique();
        ids.Count.ShouldBe(host.Api.Operations.Count);
        foreach (Match reference in Reference().Matches(text))
            document["components"]!["schemas"]![reference.Groups[1].Value].ShouldNotBeNull(reference.Value);
    }

    [Fact]
    public void Every_operation_needs_a_scope_that_a_key_can_have() =>
        host.Api.Operations.Where(operation => !operation.Path.StartsWith("/jobs", StringComparison.Ordinal))
            .ShouldAllBe(operation => ApiScopes.IsKnown(operation.Scope) && operation.Scope.StartsWith(operation.Method == "GET" ? "read:" : "write:"));

    /// <summary>Not one lets in a key without its scope, whatever else the key may do; and none asks for more than its scope.</summary>
    [Fact]
    public async Task Every_operation_lets_in_its_scope_and_nothing_else()
    {
        var scopes = host.Api.Operations.Select(operation => operation.Scope).Where(scope => scope.Length > 0).Distinct().ToList();
        using var nobody = host.With(null);
        foreach (var scope in scopes)
        {
            var name = scope.Replace(':', '.');
            using var right = await host.ClientAsync(name, scope);
            var others = ApiScopes.Resources.SelectMany(resource => (string[])[$"read:{resource}", $"write:{resource}"]).Where(other => !ApiScopes.Allow([other], scope));
            using var wrong = await host.ClientAsync($"not.{name}", [.. others]);
            foreach (var operation in host.Api.Operations.Where(operation => operation.Scope == scope))
            {
                var path = $"/api/v1{Parameter().Replace(operation.Path, "none")}?nothing=here";
                await nobody.SendAsync(new(new(operation.Method), path)).ProblemAsync(HttpStatusCode.Unauthorized);
                (await wrong.SendAsync(new(new(operation.Method), path)).ProblemAsync(HttpStatusCode.Forbidden)).ShouldContain(scope);
                // It came as far as its parameters.
                (await right.SendAsync(new(new(operation.Method), path)).ProblemAsync(HttpStatusCode.BadRequest)).ShouldContain("nothing is none of this operation's");
            }
        }
        foreach (var operation in host.Api.Operations.Where(operation => operation.Scope.Length == 0))
            await nobody.SendAsync(new(new(operation.Method), $"/api/v1{Parameter().Replace(operation.Path, "none")}")).ProblemAsync(HttpStatusCode.Unauthorized);
    }

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();

    [GeneratedRegex("""\$ref":"(?:#/components/schemas/)?([^"]*)""")]
    private static partial Regex Reference();
}
