using EventMail.Domain.Mailboxes;
using EventMail.Domain.Metadata;
using EventMail.EventStore;
using EventMail.Projections.Metadata;

namespace EventMail.Projections.Mailboxes;

/// <summary>A mailbox and all below it get new names; parents that the new name lacks are made.</summary>
/// <param name="renamed">The mailbox itself; null when only what is below the name is there.</param>
internal sealed class RenameCommand(
    NewMailboxes parents, MailboxRef? renamed, IReadOnlyList<(StreamKey Key, string From, string To)> renames, EventMetadata metadata)
    : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } =
        [.. parents.Streams.Concat(renames.Select(r => MailboxKind.Stream(r.Key))).DistinctBy(s => s.Key)];

    public override void Decide(Decision decision)
    {
        // RFC 4314 §4: "x" on the mailbox itself; what is below goes with it, and every list stays as it is.
        if ((renamed is { } mailbox && !Allows(decision, mailbox, Rights.DeleteMailbox)) || !CreateCommand.Decide(decision, parents))
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
internal sealed class RenameInboxCommand(StreamKey inbox, NewMailboxes made, MailboxViews views, EventMetadata metadata)
    : ViewCommand(inbox, views, metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } =
        [
            .. made.Streams.Prepend(MailboxKind.Stream(inbox)).DistinctBy(s => s.Key),
            MetadataKind.OfMailbox(inbox), MetadataKind.OfMailbox(made.Mailboxes[^1].Key),
        ];

    protected override void Decide(Decision decision, MailboxState state)
    {
        if (!CreateCommand.Decide(decision, made))
            return;
        var destination = made.Mailboxes[^1].Key;
        var annotations = decision.State<MetadataState>(MetadataKind.OfMailbox(Mailbox).Key);
        if (MetadataDecider.Copy(annotations, destination.Id) is { } copied)
            decision.Append(MetadataKind.OfMailbox(destination).Key, copied);
        var all = UidSet.OfRange(1, uint.MaxValue);
        var moved = MailboxDecider.Copy(state, Mailbox.Id, all, decision.State<MailboxState>(destination), destination.Id, move: true);
        if (Accept(decision, moved) is not { Into: not null, OutOf: not null } copy)
            return;
        decision.Append(destination, copy.Into);
        decision.Append(Mailbox, copy.OutOf);
    }
}
