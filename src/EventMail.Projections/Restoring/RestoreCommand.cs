using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;
using EventMail.Projections.Retention;

namespace EventMail.Projections.Restoring;

/// <summary>One mailbox becomes what it was. What it takes is decided on what is there at that moment.</summary>
internal sealed class RestoreCommand(StreamKey mailbox, RestoreTarget target, MailboxViews views, EventMetadata metadata)
    : ViewCommand(mailbox, views, metadata)
{
    private readonly RevivedContents _revived = views.Revive();

    protected override void Decide(Decision decision, MailboxState state)
    {
        if (Accept(decision, RestoreDecider.Restore(state, Mailbox.Id, target)) is not { } restore)
            return;
        if (restore.Restored is { } back && !_revived.Hold(decision, back.Contents))
            return;
        foreach (var e in (object?[])[restore.Restored, restore.Flags, restore.Removed])
        {
            if (e is not null)
                decision.Append(Mailbox, e);
        }
        decision.Result = restore;
    }
}

/// <summary>A deleted mailbox is back, without those of its messages whose content is not kept any more. Its name is free, or the commit fails on the index of names.</summary>
/// <param name="then">As it was at its end, with its messages.</param>
/// <param name="gone">The contents of its messages that were released.</param>
internal sealed class UndeleteCommand(StreamKey mailbox, string name, MailboxState then, IReadOnlySet<long> gone, RevivedContents revived, EventMetadata metadata)
    : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox)];

    public override void Decide(Decision decision)
    {
        if (Accept(decision, RestoreDecider.Undelete(decision.State<MailboxState>(mailbox), name)) is not { } e)
            return;
        var (kept, lost) = (new HashSet<long>(), new UidSet.Builder());
        foreach (var slice in then.View!.Slices())
            for (var i = 0; i < slice.Length; i++)
            {
                if (gone.Contains(slice.Contents[i]))
                    lost.Add(slice.Uids[i]);
                else
                    kept.Add(slice.Contents[i]);
            }
        if (!revived.Hold(decision, kept))
            return;
        decision.Append(mailbox, e);
        if (MailboxDecider.Remove(then with { Deleted = false }, lost.Build()).Value?.Event is { } expunged)
            decision.Append(mailbox, expunged);
    }
}
