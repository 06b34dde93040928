using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Mailboxes;

/// <summary>One content into many mailboxes, all or none: a delivery. Needs only their headers.</summary>
internal sealed class ReceiveCommand(
    IReadOnlyList<LocalRecipient> recipients, StreamKey[] mailboxes, StagedContent content, string reversePath, string? messageId,
    QuotaGuard quota, QuotaRule rule, EventMetadata metadata) : MailboxCommand(metadata)
{
    private readonly string _digest = content.DigestHex;

    // Several recipients may lead to one mailbox.
    public override IReadOnlyList<StreamRef> Streams { get; } =
        mailboxes.Length == 1 ? [MailboxKind.Stream(mailboxes[0])] : [.. mailboxes.Distinct().Select(MailboxKind.Stream)];

    public override IReadOnlyList<StagedContent> Contents { get; } = [content];

    public override void Decide(Decision decision)
    {
        if (!MayDeliver(decision))
            return;
        var stored = new ContentRef(content.Number, _digest, content.Size);
        var delivered = new Delivered[mailboxes.Length];
        for (var i = 0; i < mailboxes.Length; i++)
        {
            var state = decision.State<MailboxState>(mailboxes[i]);
            var received = MailboxDecider.Receive(state, stored, decision.Now, reversePath, recipients[i].Recipient, messageId);
            if (Accept(decision, received) is not { } e)
                return;
            decision.Append(mailboxes[i], e);
            delivered[i] = new(mailboxes[i], recipients[i].Recipient, state.UidValidity, e.Uid);
        }
        decision.Store(content);
        decision.Result = delivered;
    }

    // False when it was deferred or refused.
    private bool MayDeliver(Decision decision)
    {
        var (taken, overrun) = (0, false);
        QuotaRefusal? refusal = null;
        foreach (var recipient in recipients)
        {
            if (quota(decision, recipient.Account) is not { } usage)
                return false;
            if (recipient.BeyondQuota || usage.HasRoomFor(content.Size, 1))
            {
                taken++;
                continue;
            }
            refusal ??= new(recipient.Account, recipient.Address, usage, content.Size);
            overrun |= usage.IsFull;
        }
        if (refusal is null || (rule == QuotaRule.SomeoneFits && taken > 0 && !overrun))
            return true;
        decision.Result = refusal;
        decision.Reject(rule == QuotaRule.SomeoneFits && taken > 0 ? Rejection.FullMeanwhile : Rejection.OverQuota);
        return false;
    }
}
