using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

internal sealed class DeleteCommand(StreamKey mailbox, EventMetadata metadata) : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox)];

    public override void Decide(Decision decision)
    {
        if (Accept(decision, MailboxDecider.Delete(decision.State<MailboxState>(mailbox))) is { } e)
            decision.Append(mailbox, e);
    }
}
