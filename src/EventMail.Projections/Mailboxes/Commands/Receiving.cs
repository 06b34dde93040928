using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;
using EventMail.Projections.Quotas;

namespace EventMail.Projections.Mailboxes;

/// <summary>One content into mailboxes of local recipients, all or none: what every command that delivers decides. Needs only their headers.</summary>
/// <param name="mailboxes">Each recipient's; several recipients may lead to one.</param>
/// <param name="content">Staged, or stored long ago (then <paramref name="staged"/> is null). Its number is final when it is asked for.</param>
internal sealed class Receiving(
    IReadOnlyList<LocalRecipient> recipients, StreamKey[] mailboxes, StagedContent? staged, Func<ContentRef> content, string reversePath,
    string? messageId, QuotaGuard quota, QuotaRule rule, Arrival? arrival = null)
{
    public Receiving(
        IReadOnlyList<LocalRecipient> recipients, StreamKey[] mailboxes, StagedContent content, string reversePath, string? messageId,
        QuotaGuard quota, QuotaRule rule, Arrival? arrival = null)
        : this(recipients, mailboxes, content, Lasting(content), reversePath, messageId, quota, rule, arrival)
    {
    }

    public IReadOnlyList<StreamRef> Streams { get; } =
        mailboxes.Length == 1 ? [MailboxKind.Stream(mailboxes[0])] : [.. mailboxes.Distinct().Select(MailboxKind.Stream)];

    /// <returns>Where each recipient has it; null when the command was deferred or refused.</returns>
    public Delivered[]? Decide(Decision decision)
    {
        var stored = content();
        if (!MayDeliver(decision, stored.Size))
            return null;
        var delivered = new Delivered[mailboxes.Length];
        for (var i = 0; i < mailboxes.Length; i++)
        {
            var state = decision.State<MailboxState>(mailboxes[i]);
            var received = MailboxDecider.Receive(
                state, stored, decision.Now, reversePath, recipients[i].Recipient, messageId, arrival?.Authentication, arrival?.Verdicts);
            if (received.Rejection is { } rejection)
            {
                decision.Reject(rejection);
                return null;
            }
            decision.Append(mailboxes[i], received.Value!);
            delivered[i] = new(mailboxes[i], recipients[i].Recipient, state.UidValidity, received.Value!.Uid);
        }
        if (staged is not null)
            decision.Store(staged);
        return delivered;
    }

    // The digest does not change, the number may.
    private static Func<ContentRef> Lasting(StagedContent content)
    {
        var digest = content.DigestHex;
        return () => new(content.Number, digest, content.Size);
    }

    // False when it was deferred or refused.
    private bool MayDeliver(Decision decision, long size)
    {
        var (taken, overrun) = (0, false);
        QuotaRefusal? refusal = null;
        foreach (var recipient in recipients)
        {
            if (quota(decision, recipient.Account, recipient.BeyondQuota ? 0 : size, recipient.BeyondQuota ? 0 : 1) is not { } usage)
                return false;
            if (recipient.BeyondQuota || usage.HasRoomFor(size, 1))
            {
                taken++;
                if (!recipient.BeyondQuota)
                    decision.RequireRoom(recipient.Account, usage, size, 1);
                continue;
            }
            refusal ??= new(recipient.Account, recipient.Address, usage, size);
            overrun |= usage.IsFull;
            decision.RequireRoom(recipient.Account, usage, 1, 1);
        }
        if (refusal is null || (rule == QuotaRule.SomeoneFits && taken > 0 && !overrun))
            return true;
        decision.Result = refusal;
        decision.Reject(rule == QuotaRule.SomeoneFits && taken > 0 ? Rejection.FullMeanwhile : Rejection.OverQuota);
        return false;
    }
}
