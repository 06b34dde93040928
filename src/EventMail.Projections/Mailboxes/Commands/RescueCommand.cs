using EventMail.Domain.Mailboxes;
using EventMail.EventStore;
using EventMail.Projections.Retention;

namespace EventMail.Projections.Mailboxes;

/// <summary>COPY out of a mailbox of the past: only the destination moves. What is copied is as it was then, its UIDs excepted.</summary>
internal sealed class RescueCommand(
    OpenMailbox source, UidSet uids, MailboxRef destination, QuotaCheck quota, RevivedContents revived, EventMetadata metadata)
    : MailboxCommand(metadata)
{
    public override IReadOnlyList<StreamRef> Streams { get; } = [MailboxKind.Stream(destination.Key)];

    public override void Decide(Decision decision)
    {
        var target = decision.State<MailboxState>(destination.Key);
        var (messages, bytes) = source.View.TotalsOf(uids);
        if (!Allows(decision, destination, target, Rights.Insert) || !quota.Allows(decision, bytes, messages))
            return;
        var copied = MailboxDecider.Copy(
            source.State, source.Ref.Key.Id, uids, target, destination.Key.Id, move: false, destination.RightsIn(target));
        if (Accept(decision, copied) is not { } copy)
            return;
        if (copy.Into is not null)
        {
            // Nothing may name it by now: it must not be released at this moment.
            if (!revived.Hold(decision, copy.Into.Contents))
                return;
            decision.Append(destination.Key, copy.Into);
        }
        decision.Result = new CopyResult(target.UidValidity, copy.SourceUids, copy.Uids);
    }
}
