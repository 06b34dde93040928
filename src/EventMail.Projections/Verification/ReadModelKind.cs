using System.Text.Json.Serialization;
using EventMail.Domain.Accounts;
using EventMail.Domain.ReadModels;
using EventMail.EventStore;

namespace EventMail.Projections.Verification;

/// <summary>The one stream of what was found wrong with read models.</summary>
public sealed class ReadModelKind : StreamKind
{
    public static readonly ReadModelKind Instance = new();

    public static readonly StreamRef Stream = new(Instance, StreamKey.Global(AccountStreams.ReadModels()));

    public override string Name => "read_models";

    public override object Empty(StreamKey key) => ReadModelAlarms.None;

    public override object Evolve(object state, StoredEvent e) => ((ReadModelAlarms)state).Evolve(e.Data);
}

/// <summary>The aliases of its events.</summary>
internal static class ReadModelEventTypes
{
    public static EventTypeMap RegisterReadModelEvents(this EventTypeMap map) => map
        .Register("read_model_drifted", ReadModelEventJson.Default.ReadModelDrifted)
        .Register("read_model_drift_ended", ReadModelEventJson.Default.ReadModelDriftEnded);
}

[JsonSerializable(typeof(ReadModelDrifted))]
[JsonSerializable(typeof(ReadModelDriftEnded))]
internal sealed partial class ReadModelEventJson : JsonSerializerContext;
