using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>A mailbox and all below it get new names; parents that the new name lacks are made.</summary>
internal sealed class RenameCommand(
    IReadOnlyList<NewMailbox> parents, IReadOnlyList<(StreamKey Key, string From, string To)> renames, EventMetadata metadata)
    : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } =
        [.. parents.Select(m => MailboxKind.Stream(m.Key)), .. renames.Select(r => MailboxKind.Stream(r.Key))];

    public override void Decide(Decision decision)
    {
        if (!CreateCommand.Decide(decision, parents))
            return;
        foreach (var (key, from, to) in renames)
        {
            if (Accept(decision, MailboxDecider.Rename(decision.State<MailboxState>(key), from, to)) is not { } e)
                return;
            decision.Append(key, e);
        }
    }
}

/// <summary>RFC 9051 §6.3.6: renaming INBOX moves its messages into a new mailbox; INBOX stays, and so does what is below it.</summary>
internal sealed class RenameInboxCommand(StreamKey inbox, IReadOnlyList<NewMailbox> mailboxes, MailboxViews views, EventMetadata metadata)
    : ViewCommand(inbox, views, metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } =
        [MailboxKind.Stream(inbox), .. mailboxes.Select(m => MailboxKind.Stream(m.Key))];

    protected override void Decide(Decision decision, MailboxState state)
    {
        if (!CreateCommand.Decide(decision, mailboxes))
            return;
        var destination = mailboxes[^1].Key;
        var all = UidSet.OfRange(1, uint.MaxValue);
        var moved = MailboxDecider.Copy(state, Mailbox.Id, all, decision.State<MailboxState>(destination), destination.Id, move: true);
        if (Accept(decision, moved) is not { Into: not null, OutOf: not null } copy)
            return;
        decision.Append(destination, copy.Into);
        decision.Append(Mailbox, copy.OutOf);
    }
}
