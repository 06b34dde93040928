using System.Text.Json.Serialization;
using EventMail.Domain.Accounts;
using EventMail.Domain.Webhooks;
using EventMail.EventStore;

namespace EventMail.Projections.Webhooks;

/// <summary>The one stream of all webhooks. Few and short, so that every node has it in memory.</summary>
public sealed class WebhookKind : StreamKind
{
    public static readonly WebhookKind Instance = new();

    public static readonly StreamRef Stream = new(Instance, StreamKey.Global(AccountStreams.Webhooks()));

    public override string Name => "webhooks";

    // The Host that sends hears of those that a command adds.
    public override bool FollowRemote => true;

    public override object Empty(StreamKey key) => WebhookState.Empty;

    public override object Evolve(object state, StoredEvent e) => ((WebhookState)state).Evolve(e.Data, e.Timestamp);
}

/// <summary>The aliases of the events of webhooks.</summary>
internal static class WebhookEventTypes
{
    public static EventTypeMap RegisterWebhookEvents(this EventTypeMap map) => map
        .Register("webhook_added", WebhookEventJson.Default.WebhookAdded)
        .Register("webhook_removed", WebhookEventJson.Default.WebhookRemoved);
}

[JsonSerializable(typeof(WebhookAdded))]
[JsonSerializable(typeof(WebhookRemoved))]
internal sealed partial class WebhookEventJson : JsonSerializerContext;
