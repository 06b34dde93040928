using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EventMail.Host.Http.Capture;

/// <summary>The JSON of capture mode.</summary>
[JsonSerializable(typeof(MessageDocument))]
[JsonSerializable(typeof(MessageListDocument))]
[JsonSerializable(typeof(MailboxListDocument))]
[JsonSerializable(typeof(LoginListDocument))]
[JsonSerializable(typeof(ConnectionListDocument))]
[JsonSerializable(typeof(FaultDocument))]
[JsonSerializable(typeof(FaultListDocument))]
[JsonSerializable(typeof(DeletedDocument))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class CaptureJson : JsonSerializerContext
{
    /// <summary>Letters as they are: it is never put into a page, and the answers say nosniff.</summary>
    public static CaptureJson Plain { get; } = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
