using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.EventStore.Proof;

/// <summary>What kind of proof a file is.</summary>
internal sealed record ProofKind(string? Proof);

[JsonSerializable(typeof(ProofFile))]
[JsonSerializable(typeof(ConsistencyFile))]
[JsonSerializable(typeof(ProofKind))]
internal sealed partial class ProofJson : JsonSerializerContext
{
    /// <summary>Lines stay as they are, as far as JSON allows.</summary>
    public static ProofJson Readable { get; } = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
