using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Replaying;

public sealed record ReplayedMailbox(string Address, StreamKey Key, MailboxState State)
{
    /// <summary>By address, and in LIST's order.</summary>
    public static IReadOnlyList<ReplayedMailbox> Sorted(IEnumerable<ReplayedMailbox> mailboxes) =>
        [.. mailboxes.OrderBy(mailbox => mailbox.Address, StringComparer.Ordinal).ThenBy(mailbox => mailbox.State.Name, MailboxName.Order)];
}
