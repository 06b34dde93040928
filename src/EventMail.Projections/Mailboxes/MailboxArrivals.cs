using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Mailboxes;

/// <summary>Mail that comes in, and where each recipient's copy goes. A task that ends without a rejection is durable. Thread-safe.</summary>
public sealed class MailboxArrivals
{
    private readonly MailboxService _mailboxes;
    private readonly EventLog _log;
    private readonly QuotaGuard _quota;

    internal MailboxArrivals(MailboxService mailboxes, EventLog log, QuotaGuard quota) => (_mailboxes, _log, _quota) = (mailboxes, log, quota);

    /// <summary>SMTP and LMTP: one content into every recipient's INBOX (or Junk), all or nothing, in one transaction.</summary>
    /// <param name="reversePath">Without angle brackets; empty for the null sender.</param>
    /// <param name="messageId">For people who search the log, or null.</param>
    public async Task<Result<IReadOnlyList<Delivered>>> ReceiveAsync(
        IReadOnlyList<LocalRecipient> recipients, StagedContent content, string reversePath, string? messageId,
        QuotaRule rule, Actor actor, string? cause, CancellationToken cancel, Arrival? arrival = null)
    {
        arrival ??= Arrival.Plain;
        var result = await ReceiveOnceAsync(arrival.Placement);
        // The mailbox for junk is gone since it was looked up.
        return arrival.Placement == Placement.Junk && result.Rejection == Rejection.MailboxMissing ? await ReceiveOnceAsync(Placement.Inbox) : result;

        async Task<Result<IReadOnlyList<Delivered>>> ReceiveOnceAsync(Placement placement)
        {
            if (await MailboxesForAsync(recipients, placement, cancel) is not { } places)
                return Rejection.MailboxMissing;
            var receiving = new Receiving(recipients, places, content, reversePath, messageId, _quota, rule, arrival);
            return await _mailboxes.RunAsync<IReadOnlyList<Delivered>>(new ReceiveCommand(receiving, content, actor.Because(cause)), cancel);
        }
    }

    /// <summary>The same for a command that does more in its transaction.</summary>
    /// <param name="recipients">May be none.</param>
    internal async Task<Result<Receiving>> ReceivingAsync(
        IReadOnlyList<LocalRecipient> recipients, StagedContent content, string reversePath, string? messageId, QuotaRule rule,
        CancellationToken cancel)
    {
        var inboxes = await MailboxesForAsync(recipients, Placement.Inbox, cancel);
        return inboxes is null ? Rejection.MailboxMissing : new Receiving(recipients, inboxes, content, reversePath, messageId, _quota, rule);
    }

    /// <summary>The same for a content that is stored already.</summary>
    internal async Task<Result<Receiving>> ReceivingAsync(
        IReadOnlyList<LocalRecipient> recipients, ContentRef content, string reversePath, string? messageId, QuotaRule rule,
        CancellationToken cancel)
    {
        var inboxes = await MailboxesForAsync(recipients, Placement.Inbox, cancel);
        return inboxes is null
            ? Rejection.MailboxMissing
            : new Receiving(recipients, inboxes, null, () => content, reversePath, messageId, _quota, rule);
    }

    /// <summary>Whether mail for one of these would find its INBOX in quarantine: it is not taken then, and its sender tries again.</summary>
    public async ValueTask<bool> IsDamagedAsync(IReadOnlyList<LocalRecipient> recipients, CancellationToken cancel)
    {
        if (_log.Quarantine.IsEmpty)
            return false;
        foreach (var recipient in recipients)
        {
            if (await _mailboxes.Trees.InboxAsync(recipient.Account, cancel) is { } inbox && _log.Quarantine.Holds(inbox))
                return true;
        }
        return false;
    }

    /// <summary>A copy for the account's mailbox for sent mail; null when it has none.</summary>
    internal async ValueTask<SentCopy?> SentCopyAsync(string account, StagedContent content, CancellationToken cancel) =>
        await _mailboxes.Trees.ForUseAsync(account, SpecialUses.Sent, cancel) is { } key ? new(new(key, account, ""), content, _quota) : null;

    // Null when one is missing.
    private async ValueTask<StreamKey[]?> MailboxesForAsync(IReadOnlyList<LocalRecipient> recipients, Placement placement, CancellationToken cancel)
    {
        var places = new StreamKey[recipients.Count];
        for (var i = 0; i < places.Length; i++)
        {
            var junk = placement == Placement.Junk ? await _mailboxes.Trees.ForUseAsync(recipients[i].Account, SpecialUses.Junk, cancel) : null;
            if ((junk ?? await _mailboxes.Trees.InboxAsync(recipients[i].Account, cancel)) is not { } key)
                return null;
            places[i] = key;
        }
        return places;
    }
}
