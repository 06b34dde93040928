using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

internal sealed class DeleteCommand(MailboxRef mailbox, EventMetadata metadata) : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox.Key)];

    public override void Decide(Decision decision)
    {
        if (!Allows(decision, mailbox, Rights.DeleteMailbox)
            || Accept(decision, MailboxDecider.Delete(decision.State<MailboxState>(mailbox.Key))) is not { } e)
            return;
        decision.Append(mailbox.Key, e);
        decision.Result = default(Unit);
    }
}
