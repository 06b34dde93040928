using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Accounts;

namespace EventMail.Projections.Mailboxes;

/// <summary>One content into many mailboxes, all or none: a delivery. Needs only their headers.</summary>
internal sealed class ReceiveCommand(
    IReadOnlyList<LocalRecipient> recipients, StreamKey[] mailboxes, StagedContent content, string reversePath, string? messageId,
    EventMetadata metadata) : MailboxCommand(metadata)
{
    private readonly string _digest = content.DigestHex;

    // Several recipients may lead to one mailbox.
    public override IReadOnlyList<StreamRef> Streams { get; } =
        mailboxes.Length == 1 ? [MailboxKind.Stream(mailboxes[0])] : [.. mailboxes.Distinct().Select(MailboxKind.Stream)];

    public override IReadOnlyList<StagedContent> Contents { get; } = [content];

    public override void Decide(Decision decision)
    {
        var stored = new ContentRef(content.Number, _digest, content.Size);
        var delivered = new Delivered[mailboxes.Length];
        for (var i = 0; i < mailboxes.Length; i++)
        {
            var state = decision.State<MailboxState>(mailboxes[i]);
            var received = MailboxDecider.Receive(state, stored, decision.Now, reversePath, recipients[i].Recipient, messageId);
            if (Accept(decision, received) is not { } e)
                return;
            decision.Append(mailboxes[i], e);
            delivered[i] = new(mailboxes[i], recipients[i].Recipient, state.UidValidity, e.Uid);
        }
        decision.Store(content);
        decision.Result = delivered;
    }
}
