using System.Text.Json;
using EventMail.Domain.Reception;

namespace EventMail.Protocols.Filters.Rspamd;

/// <summary>One rule that matched.</summary>
internal sealed record RspamdSymbol(string Name, double Score);

/// <summary>A field that rspamd wants in the message.</summary>
/// <param name="Place">From the top; null: it does not matter.</param>
internal sealed record RspamdField(string Name, string Value, int? Place);

/// <summary>A field that rspamd wants out of the message.</summary>
/// <param name="Nth">Counted from 1; 0: all of the name; below 0: from the last.</param>
internal sealed record RspamdRemoval(string Name, int Nth);

/// <summary>What rspamd answers to /checkv2.</summary>
internal sealed record RspamdReply(string Action, double Score, double Required)
{
    // In the event.
    private const int MaxSymbols = 30;
    private const int MaxSymbolName = 64;

    // In the message.
    private const int MaxFields = 100;

    public IReadOnlyList<RspamdSymbol> Symbols { get; private init; } = [];

    /// <summary>With the action "rewrite subject".</summary>
    public string? Subject { get; private init; }

    /// <summary>What the sender is to be told.</summary>
    public string? Message { get; private init; }

    public IReadOnlyList<RspamdField> Added { get; private init; } = [];

    public IReadOnlyList<RspamdRemoval> Removed { get; private init; } = [];

    /// <exception cref="InvalidDataException">It is no such answer.</exception>
    public static RspamdReply Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "action") is not { Length: > 0 and <= 64 } action)
                throw new InvalidDataException(Text(root, "error") is { Length: > 0 } error ? $"it says: {Cut(error, 200)}" : "its answer names no action");
            var milter = Property(root, "milter");
            return new(action, Number(root, "score"), Number(root, "required_score"))
            {
                Symbols = [.. Members(Property(root, "symbols")).Select(symbol => new RspamdSymbol(symbol.Name, Number(symbol.Value, "score")))],
                Subject = Text(root, "subject"),
                Message = Text(Property(root, "messages"), "smtp_message"),
                Added = [.. Members(Property(milter, "add_headers")).SelectMany(AddedOf).Take(MaxFields)],
                Removed = [.. Members(Property(milter, "remove_headers")).SelectMany(RemovedOf).Take(MaxFields)],
            };
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"its answer is no JSON ({error.Message})", error);
        }
    }

    public FilterVerdict Verdict => new("rspamd", Action, Rounded(Score), Rounded(Required),
        [.. Symbols.OrderByDescending(symbol => Math.Abs(symbol.Score)).Take(MaxSymbols)
            .Select(symbol => string.Create(null, $"{Cut(symbol.Name, MaxSymbolName)}({Rounded(symbol.Score)})"))]);

    // JSON has no infinity.
    private static double Rounded(double score) => double.IsFinite(score) ? Math.Round(score, 2) : 0;

    // "Name": "value" | { "value": …, "order": … } | [ … ]
    private static IEnumerable<RspamdField> AddedOf(JsonProperty field) => Each(field.Value).Select(value => value.ValueKind switch
    {
        JsonValueKind.String => new RspamdField(field.Name, value.GetString()!, null),
        JsonValueKind.Object when Text(value, "value") is { } text => new(field.Name, text, (int?)Whole(Property(value, "order")) is >= 0 and var order ? order : null),
        _ => null,
    }).OfType<RspamdField>();

    // "Name": n | [ n … ]
    private static IEnumerable<RspamdRemoval> RemovedOf(JsonProperty field) =>
        Each(field.Value).Select(Whole).OfType<int>().Select(nth => new RspamdRemoval(field.Name, nth));

    private static IEnumerable<JsonElement> Each(JsonElement value) => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [value];

    private static IEnumerable<JsonProperty> Members(JsonElement value) => value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : [];

    private static JsonElement Property(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var found) ? found : default;

    private static string? Text(JsonElement value, string name) =>
        Property(value, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static double Number(JsonElement value, string name) =>
        Property(value, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var found) ? found : 0;

    private static int? Whole(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var found) ? found : null;

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..length];
}
