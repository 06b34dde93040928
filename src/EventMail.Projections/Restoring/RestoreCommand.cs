using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Restoring;

/// <summary>One mailbox becomes what it was. What it takes is decided on what is there at that moment.</summary>
internal sealed class RestoreCommand(StreamKey mailbox, RestoreTarget target, MailboxViews views, EventMetadata metadata)
    : ViewCommand(mailbox, views, metadata)
{
    protected override void Decide(Decision decision, MailboxState state)
    {
        if (Accept(decision, RestoreDecider.Restore(state, Mailbox.Id, target)) is not { } restore)
            return;
        foreach (var e in (object?[])[restore.Restored, restore.Flags, restore.Removed])
        {
            if (e is not null)
                decision.Append(Mailbox, e);
        }
        decision.Result = restore;
    }
}

/// <summary>A deleted mailbox is back. Its name is free, or the commit fails on the index of names.</summary>
internal sealed class UndeleteCommand(StreamKey mailbox, string name, EventMetadata metadata) : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox)];

    public override void Decide(Decision decision)
    {
        if (Accept(decision, RestoreDecider.Undelete(decision.State<MailboxState>(mailbox), name)) is { } e)
            decision.Append(mailbox, e);
    }
}
