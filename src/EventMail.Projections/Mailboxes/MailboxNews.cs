using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>In what respect a mailbox has moved.</summary>
[Flags]
public enum MailboxNews : byte
{
    None = 0,

    /// <summary>Messages came or went.</summary>
    Messages = 1,
    Flags = 2,

    /// <summary>It was made, renamed or deleted, or others may do with it what they could not, or no longer.</summary>
    Name = 4,

    /// <summary>Another node did something, and this one does not know what.</summary>
    Unknown = 8,
}

/// <summary>What has happened to one mailbox since a watch was read last.</summary>
/// <param name="Others">Done by others than the session that watches, or by who knows whom.</param>
/// <param name="Own">Done by that session.</param>
/// <param name="OwnUids">The messages that it put in.</param>
/// <param name="RenamedFrom">The mailbox whose messages RENAME has put here: INBOX. Null for any other.</param>
public readonly record struct MailboxMark(MailboxNews Others, MailboxNews Own, UidSet OwnUids, Guid? RenamedFrom = null)
{
    internal static readonly MailboxMark None = new(MailboxNews.None, MailboxNews.None, UidSet.Empty);

    internal static MailboxNews NewsIn(object @event) => @event switch
    {
        MessageReceived or MessageAppended or MessagesCopiedIn or MessagesRestored or MessagesExpunged => MailboxNews.Messages,
        FlagsChanged => MailboxNews.Flags,
        MailboxCreated or MailboxRenamed or MailboxDeleted or MailboxRestored or MailboxAclChanged => MailboxNews.Name,
        _ => MailboxNews.None,
    };

    // RFC 3501 §6.3.5: INBOX stays, and a mailbox is made and filled at once, as no other command does.
    internal static Guid? RenamedIn(StreamChange change)
    {
        if (change.Events is not [{ Data: MailboxCreated } made, ..])
            return null;
        return change.Events.FirstOrDefault(e => e.Data is MessagesCopiedIn { Moved: true } && e.Metadata == made.Metadata)
            is { Data: MessagesCopiedIn moved } ? moved.Source : null;
    }

    internal MailboxMark WithOwn(MailboxNews news, StoredEvent e) => this with
    {
        Own = Own | news,
        OwnUids = e.Data switch
        {
            MessageAppended appended => OwnUids.Union(UidSet.Of(appended.Uid)),
            MessagesCopiedIn copied => OwnUids.Union(UidSet.Parse(copied.Uids)),
            MessagesRestored restored => OwnUids.Union(UidSet.Parse(restored.Uids)),
            _ => OwnUids,
        },
    };
}

/// <summary>What a watch has gathered.</summary>
/// <param name="Mailboxes">By their streams.</param>
/// <param name="Subscriptions">Names that were subscribed or unsubscribed; true where somebody else than the session did it last.</param>
/// <param name="Overflow">There was more than the watch may hold: what it gathered is not all.</param>
public sealed record MailboxMarks(
    IReadOnlyDictionary<Guid, MailboxMark> Mailboxes, IReadOnlyDictionary<string, bool> Subscriptions, bool Overflow)
{
    /// <summary>The list of mailboxes, or of subscriptions, has to be looked at.</summary>
    public bool OfNames => Subscriptions.Count > 0 || Mailboxes.Values.Any(mark => ((mark.Others | mark.Own) & MailboxNews.Name) != 0);
}
