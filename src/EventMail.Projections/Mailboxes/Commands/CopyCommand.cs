using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>COPY, and MOVE: both mailboxes move in one transaction, or neither.</summary>
internal sealed class CopyCommand(
    StreamKey source, UidSet uids, StreamKey destination, bool move, MailboxViews views, QuotaCheck quota, EventMetadata metadata)
    : ViewCommand(source, views, metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } =
        source == destination ? [MailboxKind.Stream(source)] : [MailboxKind.Stream(source), MailboxKind.Stream(destination)];

    protected override void Decide(Decision decision, MailboxState state)
    {
        // A move adds nothing.
        if (!move && !quota.Allows(decision, state.View?.BytesOf(uids) ?? 0))
            return;
        var target = decision.State<MailboxState>(destination);
        if (Accept(decision, MailboxDecider.Copy(state, Mailbox.Id, uids, target, destination.Id, move)) is not { } copy)
            return;
        if (copy.Into is not null)
            decision.Append(destination, copy.Into);
        if (copy.OutOf is not null)
            decision.Append(Mailbox, copy.OutOf);
        decision.Result = new CopyResult(target.UidValidity, copy.SourceUids, copy.Uids);
    }
}
