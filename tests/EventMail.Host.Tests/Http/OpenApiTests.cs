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
        host.Api.Operations.ShouldAllBe(operation => ApiScopes.IsKnown(operation.Scope) && operation.Scope.StartsWith(operation.Method == "GET" ? "read:" : "write:"));

    [GeneratedRegex("""\$ref":"(?:#/components/schemas/)?([^"]*)""")]
    private static partial Regex Reference();
}
