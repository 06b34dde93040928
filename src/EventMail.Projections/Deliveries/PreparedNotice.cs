using EventMail.Domain.Deliveries;
using EventMail.EventStore;
using EventMail.Projections.Mailboxes;

namespace EventMail.Projections.Deliveries;

/// <summary>A notification that is composed and on its way into its sender's mailbox, within a command.</summary>
/// <param name="receiving">Null when there is nobody to be told: the log says that as well.</param>
internal sealed class PreparedNotice(SenderNotice notice, Receiving? receiving, StagedContent? content, string? messageId)
{
    public IReadOnlyList<StreamRef> Streams => receiving?.Streams ?? [];

    public StagedContent? Content => content;

    /// <returns>False when the command was deferred or refused.</returns>
    public bool Decide(Decision decision, StreamKey delivery)
    {
        if (receiving is null)
        {
            decision.Append(delivery, new BounceIssued(notice.Positions, notice.Action, null, null, null, notice.TimeIsUp));
            return true;
        }
        if (receiving.Decide(decision) is not { } delivered)
            return false;
        decision.Append(delivery, new BounceIssued(
            notice.Positions, notice.Action, delivered[0].Mailbox.Id, delivered[0].Uid, messageId, notice.TimeIsUp));
        return true;
    }
}
