using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Quotas;

namespace EventMail.Projections.Mailboxes;

/// <summary>
/// The sender's copy of a submitted message in the mailbox for sent mail, within the command that takes the message in. It never keeps the
/// message from going out: without room or without a mailbox there is none.
/// </summary>
internal sealed class SentCopy(MailboxRef mailbox, StagedContent content, QuotaGuard quota)
{
    public IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(mailbox.Key)];

    public StagedContent Content { get; } = content;

    /// <summary>Why there is none after all; null when there is. After the decision.</summary>
    public string? Missed { get; private set; }

    /// <returns>False when the command was deferred or refused.</returns>
    public bool Decide(Decision decision)
    {
        Missed = null;
        if (decision.State<MailboxState>(mailbox.Key) is not { Exists: true })
            return Miss("the mailbox is gone");
        if (quota(decision, mailbox.Owner, Content.Size, 1) is not { } usage)
            return false;
        if (!usage.HasRoomFor(Content.Size, 1))
            return Miss("the account is full");
        decision.RequireRoom(mailbox.Owner, usage, Content.Size, 1);
        return AppendCommand.Append(decision, mailbox, new(Content, [SystemFlags.Names[0]], decision.Now));
    }

    private bool Miss(string why)
    {
        Missed = why;
        return true;
    }
}
