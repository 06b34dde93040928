using System.Text.Json.Serialization;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>The aliases under which a mailbox's events are stored.</summary>
public static class MailboxEventTypes
{
    private const string MessagesExpunged = "messages_expunged";

    /// <summary>The events that take messages out of a mailbox which stays, old aliases included: what went is read from them.</summary>
    internal static readonly string[] Removing = [MessagesExpunged];

    public static EventTypeMap RegisterMailboxEvents(this EventTypeMap types) => types
        .Register("mailbox_created", MailboxEventJson.Default.MailboxCreated)
        .Register("mailbox_renamed", MailboxEventJson.Default.MailboxRenamed)
        .Register("mailbox_deleted", MailboxEventJson.Default.MailboxDeleted)
        .Register("message_received", MailboxEventJson.Default.MessageReceived)
        .Register("message_appended", MailboxEventJson.Default.MessageAppended)
        .Register("messages_copied_in", MailboxEventJson.Default.MessagesCopiedIn)
        .Register("messages_restored", MailboxEventJson.Default.MessagesRestored)
        .Register("mailbox_restored", MailboxEventJson.Default.MailboxRestored)
        .Register("flags_changed", MailboxEventJson.Default.FlagsChanged)
        .Register(MessagesExpunged, MailboxEventJson.Default.MessagesExpunged)
        .Register("mailbox_acl_changed", MailboxEventJson.Default.MailboxAclChanged)
        .Register("recent_claimed", MailboxEventJson.Default.RecentClaimed)
        .Slice("message_received", MailboxEventSlices.MessageReceived)
        .Slice("message_appended", MailboxEventSlices.MessageAppended)
        .Slice("flags_changed", MailboxEventSlices.FlagsChanged)
        .Slice(MessagesExpunged, MailboxEventSlices.MessagesExpunged);
}

[JsonSerializable(typeof(MailboxCreated))]
[JsonSerializable(typeof(MailboxRenamed))]
[JsonSerializable(typeof(MailboxDeleted))]
[JsonSerializable(typeof(MessageReceived))]
[JsonSerializable(typeof(MessageAppended))]
[JsonSerializable(typeof(MessagesCopiedIn))]
[JsonSerializable(typeof(MessagesRestored))]
[JsonSerializable(typeof(MailboxRestored))]
[JsonSerializable(typeof(FlagsChanged))]
[JsonSerializable(typeof(MessagesExpunged))]
[JsonSerializable(typeof(MailboxAclChanged))]
[JsonSerializable(typeof(RecentClaimed))]
internal sealed partial class MailboxEventJson : JsonSerializerContext;
