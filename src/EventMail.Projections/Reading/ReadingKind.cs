using System.Text.Json.Serialization;
using EventMail.Domain.Accounts;
using EventMail.Domain.Reading;
using EventMail.EventStore;

namespace EventMail.Projections.Reading;

/// <summary>An account's stream of reads. Not the mailbox's own, whose version is the HIGHESTMODSEQ of its messages: reading changes none.</summary>
internal sealed class ReadingKind : AppendOnlyKind
{
    public static readonly ReadingKind Instance = new();

    private ReadingKind() { }

    public override string Name => "reading";

    public static StreamRef Of(string account) => new(Instance, new(account, AccountStreams.Reading(account)));
}

/// <summary>The aliases under which reads are stored.</summary>
public static class ReadingEventTypes
{
    public static EventTypeMap RegisterReadingEvents(this EventTypeMap types) => types.Register("messages_read", ReadingEventJson.Default.MessagesRead);
}

[JsonSerializable(typeof(MessagesRead))]
internal sealed partial class ReadingEventJson : JsonSerializerContext;
