using EventMail.Domain.Mailboxes;

namespace EventMail.Projections.Mailboxes;

/// <summary>A handle that commits move.</summary>
internal sealed class LiveHandle(LiveMailboxes owner, LiveMailbox live, MailboxRef mailbox) : OpenMailbox(mailbox)
{
    private int _closed;

    public LiveMailbox Live => live;

    internal override MailboxState State => live.State!;

    public override uint ClaimRecent(uint upTo) => owner.Claim(live, upTo);

    public override uint FirstUnclaimed => live.FirstUnclaimed;

    private protected override void Close()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 0)
            owner.Close(this);
    }
}
