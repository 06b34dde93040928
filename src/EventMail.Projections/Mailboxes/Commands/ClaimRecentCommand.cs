using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

internal sealed class ClaimRecentCommand(StreamKey mailbox, uint upTo) : MailboxCommand(EventMetadata.System)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox)];

    public override void Decide(Decision decision)
    {
        if (MailboxDecider.ClaimRecent(decision.State<MailboxState>(mailbox), upTo) is { } e)
            decision.Append(mailbox, e);
    }
}
