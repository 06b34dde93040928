using System.Text.Json.Serialization;
using EventMail.Domain.Reception;
using EventMail.EventStore;

namespace EventMail.Projections.Reception;

/// <summary>The aliases of the events of mail that was not let in.</summary>
internal static class ReceptionEventTypes
{
    public static EventTypeMap RegisterReceptionEvents(this EventTypeMap types) =>
        types
        .Register("message_refused", ReceptionEventJson.Default.MessageRefused)
        .Register("message_discarded", ReceptionEventJson.Default.MessageDiscarded);
}

[JsonSerializable(typeof(MessageRefused))]
[JsonSerializable(typeof(MessageDiscarded))]
internal sealed partial class ReceptionEventJson : JsonSerializerContext;
