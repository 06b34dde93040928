using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EventMail.Host.Http.Admin;

namespace EventMail.Host.Tests.Http;

/// <summary>
/// Looks at every answer that a test's client gets: it is what the OpenAPI document says of the operation (its status, its media type, every
/// member of its JSON), or a problem document.
/// </summary>
internal sealed partial class DocumentedAnswers : DelegatingHandler
{
    private readonly JsonObject _document;
    private readonly List<(Regex Path, JsonObject Methods, string Template)> _paths = [];
    private readonly ConcurrentDictionary<string, byte> _seen;

    /// <param name="seen">Gets "METHOD /path" of each operation that was answered with success.</param>
    public DocumentedAnswers(byte[] document, ConcurrentDictionary<string, byte> seen)
    {
        (_document, _seen) = (JsonNode.Parse(document)!.AsObject(), seen);
        // Fixed words before parameters, as routing has it: /queue/retry is no message's id.
        foreach (var (template, methods) in _document["paths"]!.AsObject().OrderBy(path => path.Key.Count(c => c == '{')))
            _paths.Add((new($"^{Parameter().Replace(Regex.Escape(template).Replace(@"\{", "{", StringComparison.Ordinal), "[^/]+")}$"), methods!.AsObject(), template));
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var answer = await base.SendAsync(request, cancellationToken);
        var path = request.RequestUri!.AbsolutePath;
        if (!path.StartsWith(AdminApi.Root, StringComparison.Ordinal) || path.EndsWith("/openapi.json", StringComparison.Ordinal))
            return answer;
        var media = answer.Content.Headers.ContentType?.MediaType;
        if (!answer.IsSuccessStatusCode)
        {
            if (request.Method == HttpMethod.Head)
                return answer;
            if (answer.StatusCode == HttpStatusCode.NotModified)
            {
                _paths.First(known => known.Path.IsMatch(path)).Methods["get"]!["responses"]!["304"].ShouldNotBeNull(path);
                (answer.Content.Headers.ContentLength ?? 0).ShouldBe(0, path);
                return answer;
            }
            media.ShouldBe("application/problem+json", path);
            await HoldAsync(answer, _document["components"]!["schemas"]!["Problem"]!, cancellationToken);
            return answer;
        }
        // What GET answers, without its content.
        if (request.Method == HttpMethod.Head)
            return answer;
        var method = request.Method.Method.ToLowerInvariant();
        var (_, methods, template) = _paths.First(known => known.Path.IsMatch(path) && known.Methods.ContainsKey(method));
        var responses = methods[method]!["responses"]!.AsObject();
        var status = ((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        responses.ContainsKey(status).ShouldBeTrue($"{request.Method} {template} is not documented to answer {status}");
        if (responses[status]!["content"] is not JsonObject content)
            (answer.Content.Headers.ContentLength ?? 0).ShouldBe(0, template);
        else
        {
            content.ContainsKey(media ?? "none").ShouldBeTrue($"{request.Method} {template} is not documented to answer {media}");
            if (content[media!]!["schema"] is { } schema && media == "application/json")
                await HoldAsync(answer, schema, cancellationToken);
            if (responses[status]!["x-job-result"] is { } result)
                await HoldResultAsync(answer, cancellationToken, result);
            else if (template.EndsWith("/jobs/{id}", StringComparison.Ordinal))
                await HoldResultAsync(answer, cancellationToken, null);
        }
        _seen[$"{request.Method} {template[AdminApi.Root.Length..]}"] = 0;
        return answer;
    }

    // Which schema a job's result has is said where it is begun.
    private readonly ConcurrentDictionary<string, JsonNode> _results = new();

    private async Task HoldResultAsync(HttpResponseMessage answer, CancellationToken cancel, JsonNode? schema)
    {
        var job = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!;
        if (schema is not null)
            _results[(string)job["id"]!] = schema;
        else if (job["result"] is { } result && _results.TryGetValue((string)job["id"]!, out var known))
            Hold(result, known, "result");
    }

    private async Task HoldAsync(HttpResponseMessage answer, JsonNode schema, CancellationToken cancel)
    {
        await answer.Content.LoadIntoBufferAsync(cancel);
        Hold(JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel)), schema, answer.RequestMessage!.RequestUri!.AbsolutePath);
    }

    // What System.Text.Json's exporter writes of JSON Schema, and nothing else: a word that is not known here is a fault.
    private void Hold(JsonNode? value, JsonNode schema, string where)
    {
        if (schema is JsonValue all)
        {
            all.GetValue<bool>().ShouldBeTrue(where);
            return;
        }
        foreach (var (word, rule) in schema.AsObject())
        {
            switch (word)
            {
                case "$ref":
                    Hold(value, Resolve((string)rule!), where);
                    break;
                case "type":
                    string[] types = rule is JsonArray several ? [.. several.Select(one => (string)one!)] : [(string)rule!];
                    types.ShouldContain(type => Is(value, type), $"{where}: {value?.ToJsonString() ?? "null"} is none of {string.Join(", ", types)}");
                    break;
                case "properties" when value is JsonObject members:
                    foreach (var (name, member) in members)
                    {
                        rule!.AsObject().ContainsKey(name).ShouldBeTrue($"{where}.{name} is not in the document");
                        Hold(member, rule[name]!, $"{where}.{name}");
                    }
                    break;
                case "required" when value is JsonObject given:
                    foreach (var name in rule!.AsArray().Select(one => (string)one!))
                        given.ContainsKey(name).ShouldBeTrue($"{where}.{name} is missing");
                    break;
                case "additionalProperties" when value is JsonObject entries && rule is JsonObject:
                    foreach (var (name, entry) in entries)
                        Hold(entry, rule, $"{where}[{name}]");
                    break;
                case "items" when value is JsonArray list:
                    foreach (var item in list)
                        Hold(item, rule!, $"{where}[]");
                    break;
                case "enum":
                    rule!.AsArray().ShouldContain(one => JsonNode.DeepEquals(one, value), $"{where}: {value?.ToJsonString() ?? "null"} is none of {rule.ToJsonString()}");
                    break;
                case "format" or "description" or "properties" or "required" or "additionalProperties" or "items" or "default" or "pattern":
                    break;
                default:
                    throw new InvalidOperationException($"{where}: what is {word}?");
            }
        }
    }

    private JsonNode Resolve(string reference)
    {
        JsonNode node = _document;
        foreach (var step in reference.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
            node = (node is JsonArray list ? list[int.Parse(step, null)] : node[step]).ShouldNotBeNull(reference);
        return node;
    }

    private static bool Is(JsonNode? value, string type) => (type, value?.GetValueKind()) switch
    {
        ("null", null or JsonValueKind.Null) => true,
        ("string", JsonValueKind.String) => true,
        ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        ("integer", JsonValueKind.Number) => decimal.IsInteger(decimal.Parse(value!.ToJsonString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture)),
        ("number", JsonValueKind.Number) => true,
        ("object", JsonValueKind.Object) => true,
        ("array", JsonValueKind.Array) => true,
        _ => false,
    };

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
