using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

/// <summary>APPEND of one message or, all or nothing, of several (RFC 3502): an event each, with UIDs one after the other.</summary>
/// <param name="quota">Null: it is not asked.</param>
internal sealed class AppendCommand(
    MailboxRef mailbox, IReadOnlyList<AppendMessage> messages, QuotaCheck? quota, EventMetadata metadata) : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox.Key)];

    public override IReadOnlyList<StagedContent> Contents { get; } = [.. messages.Select(message => message.Content)];

    public override void Decide(Decision decision)
    {
        var bytes = 0L;
        for (var i = 0; i < messages.Count; i++)
            bytes += messages[i].Content.Size;
        var before = decision.State<MailboxState>(mailbox.Key);
        if (!Allows(decision, mailbox, before, Rights.Insert) || quota?.Allows(decision, bytes, messages.Count) == false)
            return;
        for (var i = 0; i < messages.Count; i++)
        {
            if (!Append(decision, mailbox, messages[i]))
                return;
        }
        decision.Result = new AppendResult(before.UidValidity, before.UidNext);
    }

    /// <summary>False when it was refused.</summary>
    public static bool Append(Decision decision, MailboxRef mailbox, in AppendMessage message)
    {
        var content = message.Content;
        var stored = new ContentRef(content.Number, content.DigestHex, content.Size);
        var messageId = (content.Annotation as MessageAnnotation)?.MessageId;
        var state = decision.State<MailboxState>(mailbox.Key);
        var rights = mailbox.RightsIn(state);
        if (Accept(decision, MailboxDecider.Append(state, stored, message.InternalDate, message.Flags, messageId, rights)) is not { } e)
            return false;
        decision.Append(mailbox.Key, e);
        decision.Store(content);
        return true;
    }
}
