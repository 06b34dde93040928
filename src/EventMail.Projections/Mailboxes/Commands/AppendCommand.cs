using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

internal sealed class AppendCommand(
    StreamKey mailbox, StagedContent content, IReadOnlyList<string> flags, DateTimeOffset internalDate, QuotaCheck quota,
    EventMetadata metadata)
    : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox)];

    public override IReadOnlyList<StagedContent> Contents { get; } = [content];

    public override void Decide(Decision decision)
    {
        if (!quota.Allows(decision, content.Size))
            return;
        var state = decision.State<MailboxState>(mailbox);
        var stored = new ContentRef(content.Number, content.DigestHex, content.Size);
        var messageId = (content.Annotation as MessageAnnotation)?.MessageId;
        if (Accept(decision, MailboxDecider.Append(state, stored, internalDate, flags, messageId)) is not { } e)
            return;
        decision.Append(mailbox, e);
        decision.Store(content);
        decision.Result = new AppendResult(state.UidValidity, e.Uid);
    }
}
