using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Restoring;

/// <summary>A mailbox's access control list becomes what it was (RFC 4314).</summary>
internal sealed class AccessBackCommand(StreamKey mailbox, AccessList wanted, EventMetadata metadata) : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox)];

    public override void Decide(Decision decision)
    {
        foreach (var identifier in Changed(decision.State<MailboxState>(mailbox).Acl, wanted))
            decision.Append(mailbox, new MailboxAclChanged(identifier, RightsText.Of(wanted.Of(identifier))));
    }

    /// <summary>Of whom a list says something else than it did.</summary>
    public static IEnumerable<string> Changed(AccessList now, AccessList wanted) =>
        now.Entries.Concat(wanted.Entries).Select(entry => entry.Identifier).Distinct().Where(identifier => now.Of(identifier) != wanted.Of(identifier));
}
