using System.Text.Json.Serialization;
using EventMail.EventStore;

namespace EventMail.Bench;

/// <summary>An event of about 600 bytes of JSON, of the shape that mail has.</summary>
public sealed record SampleReceived(
    long Uid, long Content, string Sha256, long Size, DateTimeOffset InternalDate, string ReversePath, string Recipient, string MessageId,
    string Rest);

[JsonSerializable(typeof(SampleReceived))]
internal sealed partial class SampleJson : JsonSerializerContext;

internal sealed record SampleState(long Messages);

internal sealed class SampleKind : StreamKind
{
    public override string Name => "sample";

    public override object Empty(StreamKey key) => new SampleState(0);

    public override object Evolve(object state, StoredEvent e) => new SampleState(((SampleState)state).Messages + 1);
}

internal sealed class SampleCommand(StreamRef stream, StagedContent? content = null) : Command
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [stream];

    public override EventMetadata Metadata { get; } = Sample.Metadata;

    public override IReadOnlyList<StagedContent> Contents { get; } = content is null ? [] : [content];

    public override void Decide(Decision decision)
    {
        decision.Append(stream.Key, Sample.Event(decision.State<SampleState>(stream.Key).Messages + 1, content?.Number ?? 0, decision.Now, content is null ? null : ""));
        if (content is not null)
            decision.Store(content);
    }
}

internal static class Sample
{
    public static readonly SampleKind Kind = new();

    public static readonly EventMetadata Metadata = new(
        "user@example.org", "0198c1d2e3f4a5b6", "tag-17", """{"protocol":"smtp","client_ip":"192.0.2.17","client_port":"51234"}""");

    private static readonly string s_rest = new('x', 270);

    public static EventTypeMap Types() => new EventTypeMap().Register("sample_received", SampleJson.Default.SampleReceived)
        .Seal("sample_received", new(folded: false, "ReversePath", "Recipient", "MessageId"));

    /// <param name="rest">What makes it longer; by default to 600 bytes.</param>
    public static SampleReceived Event(long uid, long content, DateTimeOffset now, string? rest = null) => new(
        uid, content, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 4096, now, "sender@example.net",
        "user@example.org", "<20261120120000.12345@example.net>", rest ?? s_rest);

    public static StreamRef[] Streams(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new StreamRef(Kind, new($"t{i}", Guid.CreateVersion7())))];
}
