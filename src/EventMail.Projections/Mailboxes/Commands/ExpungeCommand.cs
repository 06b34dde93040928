using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <param name="uids">Null: all.</param>
/// <param name="deletedOnly">Only messages with \Deleted.</param>
internal sealed class ExpungeCommand(StreamKey mailbox, MailboxViews views, UidSet? uids, bool deletedOnly, EventMetadata metadata)
    : ViewCommand(mailbox, views, metadata)
{
    protected override void Decide(Decision decision, MailboxState state)
    {
        var decided = deletedOnly ? MailboxDecider.Expunge(state, uids) : MailboxDecider.Remove(state, uids!);
        if (Accept(decision, decided) is not { } expunged)
            return;
        if (expunged.Event is not null)
            decision.Append(Mailbox, expunged.Event);
        decision.Result = expunged.Uids;
    }
}
