using EventMail.Domain.Mailboxes;
using EventMail.EventStore;

namespace EventMail.Projections.Mailboxes;

internal sealed class StoreCommand(
    MailboxRef mailbox, MailboxViews views, MailboxHistory history, UidSet uids, StoreMode mode, IReadOnlyList<string> flags,
    long? unchangedSince, EventMetadata metadata) : ViewCommand(mailbox.Key, views, metadata)
{
    // Read once: what comes behind it goes by messages.
    private FlagHistory? _flags;

    protected override void Decide(Decision decision, MailboxState state)
    {
        if (_flags is null && IsDoubtful(state))
        {
            decision.Defer(async cancel => _flags = await history.FlagsSinceAsync(Mailbox, unchangedSince!.Value, flags, cancel));
            return;
        }

        if (Accept(decision, MailboxDecider.Store(state, uids, mode, flags, unchangedSince, mailbox.RightsIn(state), _flags)) is not { } stored)
            return;
        if (stored.Event is not null)
            decision.Append(Mailbox, stored.Event);
        decision.Result = new StoreResult(stored.Changed, stored.Modified, decision.Version(Mailbox));
    }

    // A message has changed, and perhaps not what is asked for. RFC 7162 §3.1.12: "FLAGS" is about all flags; §3.1.3: 0 always fails.
    private bool IsDoubtful(MailboxState state) =>
        mode != StoreMode.Replace && unchangedSince is > 0 and var since && state.Version - since is > 0 and <= MailboxLimits.MaxEventsOfCondition
        && state.View is { } view && HasChanged(view, since);

    private bool HasChanged(MailboxView view, long since)
    {
        foreach (var range in uids.Ranges)
        {
            foreach (var slice in view.SlicesOf(range))
            {
                if (slice.ModSeqs.ContainsAnyExceptInRange(0, since))
                    return true;
            }
        }

        return false;
    }
}
