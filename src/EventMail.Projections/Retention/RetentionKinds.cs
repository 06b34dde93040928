using System.Text.Json.Serialization;
using EventMail.Domain.Accounts;
using EventMail.Domain.Retention;
using EventMail.EventStore;

namespace EventMail.Projections.Retention;

/// <summary>How long an account's contents are kept, and what holds them; in the default tenant what holds everything.</summary>
public sealed class RetentionKind : StreamKind
{
    public static readonly RetentionKind Instance = new();

    public override string Name => "retention";

    public override object Empty(StreamKey key) => RetentionState.Empty;

    public override object Evolve(object state, StoredEvent e) => ((RetentionState)state).Evolve(e.Data, e.Timestamp);

    /// <param name="account">Null: of everything.</param>
    public static StreamRef Of(string? account) => new(
        Instance, account is null ? StreamKey.Global(AccountStreams.ServerRetention()) : new(account, AccountStreams.Retention(account)));
}

/// <summary>What was released, a stream a day.</summary>
internal sealed class ReleaseKind : AppendOnlyKind
{
    public static readonly ReleaseKind Instance = new();

    public override string Name => "release";

    public static StreamRef On(DateTimeOffset day) => new(Instance, StreamKey.Global(AccountStreams.Releases(day)));
}

/// <summary>An erasure, from its order to its end.</summary>
public sealed class ErasureKind : StreamKind
{
    public static readonly ErasureKind Instance = new();

    public override string Name => "erasure";

    // Every node drops what it has in memory.
    public override bool FollowRemote => true;

    public override object Empty(StreamKey key) => ErasureState.Empty;

    public override object Evolve(object state, StoredEvent e) => ((ErasureState)state).Evolve(e.Data);

    public static StreamRef Of(Guid erasure) => new(Instance, StreamKey.Global(erasure));
}

/// <summary>The aliases of the events of retention and erasure.</summary>
internal static class RetentionEventTypes
{
    public static EventTypeMap RegisterRetentionEvents(this EventTypeMap map) => map
        .Register("retention_set", RetentionEventJson.Default.RetentionSet)
        .Register("retention_cleared", RetentionEventJson.Default.RetentionCleared)
        .Register("legal_hold_placed", RetentionEventJson.Default.LegalHoldPlaced)
        .Register("legal_hold_released", RetentionEventJson.Default.LegalHoldReleased)
        .Register("contents_released", RetentionEventJson.Default.ContentsReleased)
        .Register("erasure_ordered", RetentionEventJson.Default.ErasureOrdered)
        .Register("erasure_completed", RetentionEventJson.Default.ErasureCompleted);
}

[JsonSerializable(typeof(RetentionSet))]
[JsonSerializable(typeof(RetentionCleared))]
[JsonSerializable(typeof(LegalHoldPlaced))]
[JsonSerializable(typeof(LegalHoldReleased))]
[JsonSerializable(typeof(ContentsReleased))]
[JsonSerializable(typeof(ErasureOrdered))]
[JsonSerializable(typeof(ErasureCompleted))]
internal sealed partial class RetentionEventJson : JsonSerializerContext;
