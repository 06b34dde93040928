using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

internal sealed class StoreCommand(
    MailboxRef mailbox, MailboxViews views, UidSet uids, StoreMode mode, IReadOnlyList<string> flags, long? unchangedSince,
    EventMetadata metadata) : ViewCommand(mailbox.Key, views, metadata)
{
    protected override void Decide(Decision decision, MailboxState state)
    {
        if (Accept(decision, MailboxDecider.Store(state, uids, mode, flags, unchangedSince, mailbox.RightsIn(state))) is not { } stored)
            return;
        if (stored.Event is not null)
            decision.Append(Mailbox, stored.Event);
        decision.Result = new StoreResult(stored.Changed, stored.Modified, decision.Version(Mailbox));
    }
}
