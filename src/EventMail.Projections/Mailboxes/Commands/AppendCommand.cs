using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

internal sealed class AppendCommand(
    MailboxRef mailbox, StagedContent content, IReadOnlyList<string> flags, DateTimeOffset internalDate, QuotaCheck quota,
    EventMetadata metadata)
    : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox.Key)];

    public override IReadOnlyList<StagedContent> Contents { get; } = [content];

    public override void Decide(Decision decision)
    {
        var state = decision.State<MailboxState>(mailbox.Key);
        if (!Allows(decision, mailbox, state, Rights.Insert) || !quota.Allows(decision, content.Size))
            return;
        var stored = new ContentRef(content.Number, content.DigestHex, content.Size);
        var messageId = (content.Annotation as MessageAnnotation)?.MessageId;
        if (Accept(decision, MailboxDecider.Append(state, stored, internalDate, flags, messageId, mailbox.RightsIn(state))) is not { } e)
            return;
        decision.Append(mailbox.Key, e);
        decision.Store(content);
        decision.Result = new AppendResult(state.UidValidity, e.Uid);
    }
}
