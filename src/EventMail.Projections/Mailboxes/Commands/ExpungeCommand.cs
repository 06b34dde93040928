using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <param name="uids">Null: all.</param>
/// <param name="deletedOnly">Only messages with \Deleted.</param>
internal sealed class ExpungeCommand(MailboxRef mailbox, MailboxViews views, UidSet? uids, bool deletedOnly, EventMetadata metadata)
    : ViewCommand(mailbox.Key, views, metadata)
{
    protected override void Decide(Decision decision, MailboxState state)
    {
        // RFC 4314 §4: "e" for EXPUNGE; the flag was set with "t".
        if (!Allows(decision, mailbox, state, Rights.Expunge))
            return;
        var decided = deletedOnly ? MailboxDecider.Expunge(state, uids) : MailboxDecider.Remove(state, uids!);
        if (Accept(decision, decided) is not { } expunged)
            return;
        if (expunged.Event is not null)
            decision.Append(Mailbox, expunged.Event);
        decision.Result = expunged.Uids;
    }
}
