using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using EventMail.Host.Cli;

namespace EventMail.Host.Http.Admin;

/// <summary>The OpenAPI 3.1 document of the operations (docs/decisions/0043-the-admin-api.md).</summary>
internal static partial class OpenApiDocument
{
    private static readonly JsonSchemaExporterOptions Exact = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = (_, schema) => WithoutNulls(schema),
    };

    public static byte[] Write(IReadOnlyList<Operation> operations)
    {
        var schemas = new JsonObject { ["Problem"] = SchemaOf(HttpJson.Default.Problem) };
        var paths = new JsonObject();
        foreach (var operation in operations)
        {
            var path = AdminApi.Root + operation.Path;
            if (paths[path] is not JsonObject methods)
                paths[path] = methods = [];
            methods[operation.Method.ToLowerInvariant()] = OperationOf(operation, schemas);
        }
        var document = new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "EventMail admin API",
                ["version"] = VersionCommand.Version,
                ["description"] = "Every refusal is a problem document (RFC 9457). Unknown parameters and members are refused.",
            },
            ["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "eventmail api-key create NAME --scopes …" },
                },
                ["schemas"] = schemas,
            },
        };
        return JsonSerializer.SerializeToUtf8Bytes(document, ApiJson.Plain.JsonObject);
    }

    private static JsonObject OperationOf(Operation operation, JsonObject schemas)
    {
        var success = new JsonObject
        {
            ["description"] = operation.Result is not null ? "It is under way: a job, whose `result` will be as `x-job-result` says."
                : operation.Status == 202 ? "It is under way." : "It is done.",
        };
        if (operation.Answer is { } answer)
            success["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = ReferenceTo(answer, schemas) } };
        else if (operation.MediaType is { } media)
            success["content"] = new JsonObject { [media] = new JsonObject { ["schema"] = new JsonObject { ["type"] = media == "application/json" ? "object" : "string" } } };
        var described = new JsonObject
        {
            ["operationId"] = IdOf(operation),
            ["summary"] = operation.Summary,
            ["description"] = operation.Scope == Operation.AnyScope ? "Scope: that of what the job does." : $"Scope: `{operation.Scope}`.",
            ["tags"] = new JsonArray(TagOf(operation)),
            ["parameters"] = new JsonArray([.. ParametersOf(operation)]),
            ["responses"] = new JsonObject
            {
                [operation.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)] = success,
                ["default"] = new JsonObject
                {
                    ["description"] = "It is refused; the document says why.",
                    ["content"] = new JsonObject
                    {
                        ["application/problem+json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" } },
                    },
                },
            },
        };
        if (operation is { IfMatch: true, Method: "GET" })
            described["responses"]!["304"] = new JsonObject { ["description"] = "It is still what If-None-Match says." };
        if (operation.Result is { } result)
            success["x-job-result"] = ReferenceTo(result, schemas);
        if (operation.Body is { } body)
        {
            described["requestBody"] = new JsonObject
            {
                ["required"] = true,
                ["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = ReferenceTo(body, schemas) } },
            };
        }
        return described;
    }

    private static string TagOf(Operation operation) =>
        operation.Scope == Operation.AnyScope ? operation.Path.Split('/')[1] : operation.Scope[(operation.Scope.IndexOf(':') + 1)..];

    private static IEnumerable<JsonNode> ParametersOf(Operation operation)
    {
        foreach (Match inPath in PathParameter().Matches(operation.Path))
            yield return new JsonObject
            {
                ["name"] = inPath.Groups[1].Value,
                ["in"] = "path",
                ["required"] = true,
                ["schema"] = new JsonObject { ["type"] = "string" },
            };
        foreach (var parameter in operation.Query)
            yield return new JsonObject
            {
                ["name"] = parameter.Name,
                ["in"] = "query",
                ["required"] = parameter.Required,
                ["description"] = parameter.Description,
                ["schema"] = SchemaOf(parameter),
            };
        if (operation.IfMatch)
            yield return new JsonObject
            {
                ["name"] = operation.Method == "GET" ? "If-None-Match" : "If-Match",
                ["in"] = "header",
                ["description"] = operation.Method == "GET" ? "The ETag that was read: 304 while it is still that." : "The ETag that was read: 412 when it has changed since.",
                ["schema"] = new JsonObject { ["type"] = "string" },
            };
    }

    private static JsonObject SchemaOf(Parameter parameter) => parameter.Kind switch
    {
        ParameterKind.Number => new() { ["type"] = "integer", ["minimum"] = parameter.Least, ["maximum"] = parameter.Most },
        ParameterKind.Flag => new() { ["type"] = "boolean" },
        ParameterKind.Time => new() { ["type"] = "string", ["format"] = "date-time" },
        _ => new() { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = 1024 },
    };

    private static JsonObject ReferenceTo(JsonTypeInfo type, JsonObject schemas)
    {
        var name = NameOf(type.Type);
        if (!schemas.ContainsKey(name))
            schemas[name] = SchemaOf(type);
        return new() { ["$ref"] = $"#/components/schemas/{name}" };
    }

    // AccountDocument is Account, Page<AccountDocument> is AccountPage.
    private static string NameOf(Type type) => type.IsGenericType
        ? NameOf(type.GetGenericArguments()[0]) + type.Name[..type.Name.IndexOf('`')]
        : type.Name.Replace("Document", "", StringComparison.Ordinal);

    private static JsonNode SchemaOf(JsonTypeInfo type) => type.GetJsonSchemaAsNode(Exact);

    // What is null is left out of an answer: only the others are there always. And what may be anything is {}, which readers take that stumble over true.
    private static JsonNode WithoutNulls(JsonNode schema)
    {
        if (schema is JsonValue)
            return new JsonObject();
        if (schema is JsonObject members && members["required"] is JsonArray required && members["properties"] is JsonObject properties)
        {
            foreach (var name in required.Where(name => MayBeNull(properties[(string)name!]!)).ToList())
                required.Remove(name);
            if (required.Count == 0)
                members.Remove("required");
        }
        return schema;
    }

    private static bool MayBeNull(JsonNode schema) =>
        schema.AsObject().Count == 0 || (schema["type"] is JsonArray types ? types.Any(type => (string)type! == "null")
            : schema["enum"] is JsonArray values && values.Contains(null));

    // `GET /accounts/{account}/mailboxes` is getAccountsMailboxes.
    private static string IdOf(Operation operation) => operation.Method.ToLowerInvariant() + string.Concat(
        operation.Path.Split(['/', '-'], StringSplitOptions.RemoveEmptyEntries).Select(word => word[0] == '{' ? $"By{Capital(word[1..^1])}" : Capital(word)));

    private static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex PathParameter();
}
