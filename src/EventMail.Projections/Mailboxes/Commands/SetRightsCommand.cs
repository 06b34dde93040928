using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>SETACL and DELETEACL (RFC 4314 §3.1, §3.2).</summary>
internal sealed class SetRightsCommand(MailboxRef mailbox, string identifier, RightsMode mode, Rights rights, EventMetadata metadata)
    : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox.Key)];

    public override void Decide(Decision decision)
    {
        var state = decision.State<MailboxState>(mailbox.Key);
        if (!Allows(decision, mailbox, state, Rights.Administer))
            return;
        var (e, rejection) = AccessDecider.Change(state, mailbox.Owner, identifier, mode, rights);
        if (rejection is not null)
            decision.Reject(rejection);
        else if (e is not null)
            decision.Append(mailbox.Key, e);
    }
}
