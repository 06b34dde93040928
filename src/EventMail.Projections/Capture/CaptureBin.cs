using EventMail.Domain.Mailboxes;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Capture;

/// <summary>Takes captured messages out of all mailboxes that they are in.</summary>
public sealed class CaptureBin(MailboxService mailboxes)
{
    private static readonly Actor Http = new("capture", "capture", "{\"protocol\":\"http\"}");

    /// <summary>Durable when the task ends. Messages that are gone already are passed over.</summary>
    public async Task RemoveAsync(IReadOnlyList<CapturedMail> messages, CancellationToken cancel)
    {
        foreach (var mailbox in messages.SelectMany(message => message.Copies).GroupBy(copy => copy.Mailbox))
        {
            if ((await mailboxes.OpenAsync(mailbox.Key.Tenant, MailboxName.Inbox, cancel).ConfigureAwait(false)).Value is not { } open)
                continue;
            using (open)
            {
                if (open.Key == mailbox.Key)
                    await mailboxes.RemoveAsync(open, UidSet.From(mailbox.Select(copy => copy.Uid)), Http, null, cancel).ConfigureAwait(false);
            }
        }
    }
}
