using EventMail.Projections.Mailboxes;
using EventMail.Protocols.Imap.Listing;

namespace EventMail.Protocols.Imap.Notifying;

/// <summary>STATUS responses that tell of mailboxes which are not selected.</summary>
internal static class StatusNotice
{
    /// <summary>How a mailbox stands before anything happens (RFC 5465 §3.1). Of events that are none of messages nothing is told.</summary>
    public static ValueTask WriteAsync(ImapSession session, MailboxEntry mailbox, NotifyEvents events)
    {
        var items = new List<string>();
        if ((events & NotifyEvents.Counts) != 0)
            items.AddRange(["MESSAGES", "UIDNEXT", "UIDVALIDITY"]);
        if ((events & NotifyEvents.FlagChange) != 0)
            items.AddRange(["UNSEEN", "HIGHESTMODSEQ"]);
        return WriteAsync(session, mailbox, items);
    }

    /// <summary>What has happened (§5.1, §5.2, §5.3), and that the client knows it now.</summary>
    public static ValueTask WriteAsync(ImapSession session, MailboxEntry mailbox, KnownMailbox known, MailboxNews news)
    {
        var condstore = session.Has(Extensions.Condstore);
        var items = new List<string>();
        var counts = (known.Events & NotifyEvents.Counts) != 0
            && ((news & MailboxNews.Messages) != 0 || ((news & MailboxNews.Unknown) != 0 && !known.CountsAs(mailbox)));
        var flags = (known.Events & NotifyEvents.FlagChange) != 0
            && ((news & MailboxNews.Flags) != 0 || ((news & MailboxNews.Unknown) != 0 && known.HighestModSeq != mailbox.HighestModSeq));
        if (counts)
            items.AddRange(["UIDNEXT", "MESSAGES"]);
        // §5.1: without CONDSTORE a client is told of flags where UNSEEN shows them.
        if ((known.Events & NotifyEvents.FlagChange) != 0 && (counts || flags) && known.Unseen != mailbox.Unseen)
            items.Add("UNSEEN");
        if (condstore && (counts || flags))
            items.Add("HIGHESTMODSEQ");
        if (items.Count > 0 && (flags || known.IsNew))
            items.Add("UIDVALIDITY");
        known.Take(mailbox);
        return WriteAsync(session, mailbox, items);
    }

    private static ValueTask WriteAsync(ImapSession session, MailboxEntry mailbox, List<string> items) =>
        items.Count == 0 ? default : StatusRequest.Of(items).WriteAsync(session, mailbox);
}
