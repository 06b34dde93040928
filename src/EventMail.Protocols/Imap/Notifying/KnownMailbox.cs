using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>A mailbox as a client that is notified of it knows it.</summary>
internal sealed class KnownMailbox(MailboxEntry entry, NotifyEvents events)
{
    public string Name { get; set; } = entry.Name;

    /// <summary>RFC 5465 §5: without "r" it is not observed.</summary>
    public bool Readable { get; set; } = MayObserve(entry);

    /// <summary>What the client wants to hear of it.</summary>
    public NotifyEvents Events { get; set; } = events;

    /// <summary>The client has not been told how it stands.</summary>
    public bool IsNew { get; set; }

    public uint UidNext { get; private set; } = entry.UidNext;

    public long Messages { get; private set; } = entry.Messages;

    public long Unseen { get; private set; } = entry.Unseen;

    public long HighestModSeq { get; private set; } = entry.HighestModSeq;

    public static bool MayObserve(MailboxEntry entry) => (entry.Rights & Rights.Read) != 0;

    public bool CountsAs(MailboxEntry entry) => UidNext == entry.UidNext && Messages == entry.Messages;

    public void Take(MailboxEntry entry)
    {
        (UidNext, Messages, Unseen, HighestModSeq) = (entry.UidNext, entry.Messages, entry.Unseen, entry.HighestModSeq);
        IsNew = false;
    }

    /// <summary>As it was told while it was selected.</summary>
    public void Take(MailboxView view) =>
        (UidNext, Messages, Unseen, HighestModSeq) = (view.UidNext, view.Count, view.Unseen, view.HighestModSeq);
}
