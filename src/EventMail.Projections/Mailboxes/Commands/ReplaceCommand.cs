using EventMail.Domain;
using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>REPLACE (RFC 8508 §3.4): a message comes into one mailbox and another one leaves its own, both or neither.</summary>
internal sealed class ReplaceCommand(
    MailboxRef source, uint uid, MailboxRef destination, AppendMessage message, MailboxViews views, QuotaCheck quota, EventMetadata metadata)
    : ViewCommand(source.Key, views, metadata)
{
    private readonly UidSet _replaced = UidSet.Of(uid);

    public override IReadOnlyList<StreamRef> Streams { get; } =
        source.Key == destination.Key
            ? [MailboxKind.Stream(source.Key)]
            : [MailboxKind.Stream(source.Key), MailboxKind.Stream(destination.Key)];

    public override IReadOnlyList<StagedContent> Contents { get; } = [message.Content];

    protected override void Decide(Decision decision, MailboxState state)
    {
        // §4.1: what UID STORE of \Deleted, UID EXPUNGE and APPEND need together.
        var target = decision.State<MailboxState>(destination.Key);
        if (!Allows(decision, source, state, Rights.DeleteMessages | Rights.Expunge) || !Allows(decision, destination, target, Rights.Insert))
            return;
        var index = state.View!.IndexOf(uid);
        if (index < 0)
        {
            decision.Reject(Rejection.MessageMissing);
            return;
        }
        // §3.4: only what comes in addition counts. What is freed frees nothing in another account.
        var (bytes, messages) = source.Owner == destination.Owner
            ? (message.Content.Size - state.View[index].Size, 0)
            : (message.Content.Size, 1);
        if ((bytes > 0 || messages > 0) && !quota.Allows(decision, bytes, messages))
            return;
        if (!AppendCommand.Append(decision, destination, message))
            return;
        if (Accept(decision, MailboxDecider.Remove(decision.State<MailboxState>(Mailbox), _replaced)) is not { Event: { } expunged })
            return;
        decision.Append(Mailbox, expunged);
        decision.Result = new AppendResult(target.UidValidity, target.UidNext);
    }
}
