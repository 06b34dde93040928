using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>COPY, and MOVE: both mailboxes move in one transaction, or neither.</summary>
internal sealed class CopyCommand(
    MailboxRef source, UidSet uids, MailboxRef destination, bool move, MailboxViews views, QuotaCheck quota, EventMetadata metadata)
    : ViewCommand(source.Key, views, metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } =
        source.Key == destination.Key
            ? [MailboxKind.Stream(source.Key)]
            : [MailboxKind.Stream(source.Key), MailboxKind.Stream(destination.Key)];

    // RFC 6851 §3.3: as COPY, STORE of \Deleted and EXPUNGE together.
    private const Rights Moving = Rights.Read | Rights.DeleteMessages | Rights.Expunge;

    protected override void Decide(Decision decision, MailboxState state)
    {
        var target = decision.State<MailboxState>(destination.Key);
        if (!Allows(decision, source, state, move ? Moving : Rights.Read) || !Allows(decision, destination, target, Rights.Insert))
            return;
        // A move adds nothing, unless it leads to another account.
        if (!(move && source.Owner == destination.Owner) && state.View?.TotalsOf(uids) is var (messages, bytes)
            && !quota.Allows(decision, bytes, messages))
            return;
        if (Accept(decision, MailboxDecider.Copy(
            state, Mailbox.Id, uids, target, destination.Key.Id, move, destination.RightsIn(target))) is not { } copy)
            return;
        if (copy.Into is not null)
            decision.Append(destination.Key, copy.Into);
        if (copy.OutOf is not null)
            decision.Append(Mailbox, copy.OutOf);
        decision.Result = new CopyResult(target.UidValidity, copy.SourceUids, copy.Uids);
    }
}
